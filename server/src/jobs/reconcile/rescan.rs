//! Scans guests again whose last scan is older than the settings say, as far as their agent is online.

use std::time::Duration;

use crate::app::settings::Settings;
use crate::app::{App, Error};
use crate::lifecycle::Kick;

/// How often old scans are looked for.
const EVERY: Duration = Duration::from_secs(30);
/// Guests of one job, so that a fleet that was switched on at once spreads over the time between two scans.
const AT_ONCE: i64 = 100;

pub(super) fn start(app: &App) {
    let this = app.clone();
    app.lifecycle.every("rescan", EVERY, Kick::default(), move || {
        let app = this.clone();
        async move { Ok(rescan(&app).await?) }
    });
}

async fn rescan(app: &App) -> Result<String, Error> {
    let settings = Settings::read(&mut app.store.read().await?).await?;
    let age = Duration::from_secs(u64::from(settings.scan_every_minutes) * 60);
    Ok(format!("{} guests are scanned again", app.rescan(age, AT_ONCE).await?))
}
