//! Forgets what is older than the settings say.

use std::time::Duration;

use crate::app::settings::{Retention, Settings};
use crate::app::{App, Error};
use crate::lifecycle::Kick;

/// Nothing here is urgent.
const EVERY: Duration = Duration::from_secs(3600);

pub(super) fn start(app: &App) {
    let this = app.clone();
    app.lifecycle
        .every("retention of jobs", EVERY, Kick::default(), move || {
            let app = this.clone();
            async move { Ok(forget(&app).await?) }
        });
}

async fn forget(app: &App) -> Result<String, Error> {
    muster_store::write!(app.store, tx => {
        let keep = Settings::read(tx).await?.retention;
        let now = app.clock.now();
        let lines = tx.drop_logs_before(now - Retention::days(keep.log_days)).await?;
        let jobs = tx.drop_jobs_before(now - Retention::days(keep.jobs_days)).await?;
        Ok(format!("{jobs} jobs and {lines} log lines dropped"))
    })
}
