//! Loops beside the queue, one file each.

mod agents;
mod commands;
mod consoles;
mod rescan;
mod retention;

use crate::app::App;

pub(super) fn start(app: &App) {
    agents::start(app);
    commands::start(app);
    consoles::start(app);
    rescan::start(app);
    retention::start(app);
}
