//! Forgets what is older than the settings say.

use std::time::Duration;

use crate::app::settings::Settings;
use crate::app::{App, Error, retention};
use crate::lifecycle::Kick;

/// Nothing here is urgent.
const EVERY: Duration = Duration::from_secs(3600);

pub(super) fn start(app: &App) {
    let this = app.clone();
    app.lifecycle.every("retention", EVERY, Kick::default(), move || {
        let app = this.clone();
        async move { Ok(forget(&app).await?) }
    });
}

async fn forget(app: &App) -> Result<String, Error> {
    muster_store::write!(app.store, tx => {
        let keep = Settings::read(tx).await?.retention;
        let before = retention::dropped_before(&keep, app.clock.now());
        let lines = tx.drop_logs_before(before.logs).await?;
        let jobs = tx.drop_jobs_before(before.jobs).await?;
        let commands = tx.drop_commands_before(before.commands).await?;
        let enrolments = tx.drop_enrolments_before(before.commands).await?;
        let discoveries = tx.drop_discoveries_before(before.discoveries).await?;
        let answers = tx.drop_answers_before(before.answers, before.abandoned).await?;
        Ok(format!(
            "{jobs} jobs, {lines} log lines, {commands} commands, {enrolments} enrolments, {discoveries} discoveries and \
             {answers} kept answers dropped"
        ))
    })
}
