//! Puts consoles back that were made to show a shell, once the agent of their container is online.

use std::time::Duration;

use crate::app::App;
use crate::lifecycle::Kick;

/// Nobody waits for it: the agent works already.
const EVERY: Duration = Duration::from_secs(15);

pub(super) fn start(app: &App) {
    let this = app.clone();
    app.lifecycle.every("consoles", EVERY, Kick::default(), move || {
        let app = this.clone();
        async move { Ok(format!("{} consoles put back", app.put_consoles_back().await?)) }
    });
}
