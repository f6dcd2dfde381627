//! Forgets what is older than the settings say.

use std::time::Duration;

use crate::app::settings::{Retention, Settings};
use crate::app::{App, Error};
use crate::lifecycle::Kick;

/// Commands and enrolments that are over are of use only to somebody who looks for a fault.
const COMMANDS_DAYS: u32 = 7;
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
        let commands = tx.drop_commands_before(now - Retention::days(COMMANDS_DAYS)).await?;
        let lines_to_paste = tx.drop_enrolments_before(now - Retention::days(COMMANDS_DAYS)).await?;
        Ok(format!("{jobs} jobs, {lines} log lines, {commands} commands and {lines_to_paste} enrolments dropped"))
    })
}
