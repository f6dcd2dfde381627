//! Durable background work: a queue of rows with leases, a runner that claims them, and one file per kind of job.
//!
//! A job survives the death of its server: whoever claims it next goes on with the targets that are not over. So a kind
//! stores what it is about to do before it does it ([`JobContext::advance`]), and never trusts its memory.

mod context;
mod entering;
mod error;
mod fan_out;
pub mod kinds;
mod reconcile;
mod runner;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use muster_domain::JobId;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub use context::{JobContext, Step};
pub use error::{JobError, Next};
pub use fan_out::Places;

pub(crate) use context::changed as job_changed;
pub(crate) use runner::{AT_ONCE, end as job_ended};

use crate::app::App;
use crate::lifecycle::Kick;

/// What this process remembers of jobs. Nothing of it is needed to go on after a restart.
#[derive(Debug)]
pub struct Jobs {
    due: Kick,
    running: Mutex<HashMap<JobId, CancellationToken>>,
    lines: watch::Sender<u64>,
    places: Places,
}

impl Default for Jobs {
    fn default() -> Self {
        Jobs {
            due: Kick::default(),
            running: Mutex::default(),
            lines: watch::Sender::new(0),
            places: Places::default(),
        }
    }
}

impl Jobs {
    /// A job was added or woken: look now. Call it after the commit.
    pub fn wake(&self) {
        self.due.now();
    }

    /// Tells a job that runs in this process that it is to stop. One that runs elsewhere learns it from its row.
    pub fn stop(&self, job: JobId) {
        if let Some(cancel) = self.running().get(&job) {
            cancel.cancel();
        }
    }

    /// Changes whenever this process has written a line to any job's log.
    pub fn lines(&self) -> watch::Receiver<u64> {
        self.lines.subscribe()
    }

    fn line_written(&self) {
        self.lines.send_modify(|count| *count += 1);
    }

    fn running(&self) -> std::sync::MutexGuard<'_, HashMap<JobId, CancellationToken>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts the runner and the loops beside it.
pub fn start(app: &App) {
    runner::start(app);
    reconcile::start(app);
}
