//! Ends commands whose time has passed.

use std::time::Duration;

use crate::app::App;
use crate::lifecycle::Kick;

const EVERY: Duration = Duration::from_secs(10);

pub(super) fn start(app: &App) {
    let this = app.clone();
    app.lifecycle.every("commands", EVERY, Kick::default(), move || {
        let app = this.clone();
        async move { Ok(format!("{} expired", app.expire_commands().await?)) }
    });
}
