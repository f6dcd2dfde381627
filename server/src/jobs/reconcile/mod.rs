//! Loops beside the queue, one file each.

mod retention;

use crate::app::App;

pub(super) fn start(app: &App) {
    retention::start(app);
}
