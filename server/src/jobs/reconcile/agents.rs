//! Writes down which agents went silent and which came back.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::app::App;
use crate::lifecycle::Kick;

/// Short beside the silence after which an agent is offline, so that an agent is called so within 30 s.
const EVERY: Duration = Duration::from_secs(2);

pub(super) fn start(app: &App) {
    let this = app.clone();
    let expected = std::sync::Arc::new(AtomicBool::new(false));
    app.lifecycle.every("agents", EVERY, Kick::default(), move || {
        let (app, expected) = (this.clone(), expected.clone());
        async move {
            if !expected.load(Ordering::Relaxed) {
                app.expect_agents().await?;
                expected.store(true, Ordering::Relaxed);
            }
            let changes = app.watch_agents().await?;
            Ok(format!("{} connected, {changes} changed", app.agents.links.count()))
        }
    });
}
