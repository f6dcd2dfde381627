//! Starting and ending background work. Nothing else spawns tasks, so that a shutdown reaches all of them.

mod reconcile;

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use reconcile::{Kick, LoopStatus};

use crate::clock::Clock;

/// How long tasks may go on after the stop was asked for.
pub const GRACE: Duration = Duration::from_secs(10);

/// The running tasks of this process. Cheap to clone.
#[derive(Clone)]
pub struct Lifecycle {
    tracker: TaskTracker,
    stop: CancellationToken,
    clock: Arc<dyn Clock>,
    loops: reconcile::Register,
}

impl Lifecycle {
    /// No task runs yet. The clock stamps the status of loops.
    pub fn new(clock: Arc<dyn Clock>) -> Lifecycle {
        Lifecycle {
            tracker: TaskTracker::new(),
            stop: CancellationToken::new(),
            clock,
            loops: reconcile::Register::default(),
        }
    }

    /// Cancelled when the process is to end. Long work watches it.
    pub fn stopping(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Runs `work` beside everything else. A panic in it is logged and ends only this task.
    pub fn spawn(&self, name: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        self.tracker.spawn(async move {
            if AssertUnwindSafe(work).catch_unwind().await.is_err() {
                tracing::error!(task = name, "a background task panicked and has ended; this is a bug");
            }
        });
    }

    /// Asks all work to end.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Waits until all tasks have ended, at most [`GRACE`]. Returns whether they did.
    pub async fn finish(&self) -> bool {
        self.tracker.close();
        tokio::time::timeout(GRACE, self.tracker.wait()).await.is_ok()
    }

    /// Calls [`stop`](Self::stop) at the first SIGINT or SIGTERM; a second one ends the process at once.
    pub fn stop_on_signals(&self) -> std::io::Result<()> {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let stop = self.stop.clone();
        // Not tracked: it waits for signals as long as the process lives.
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                if stop.is_cancelled() {
                    tracing::warn!("asked to stop a second time: ending without waiting for running work");
                    std::process::exit(1);
                }
                tracing::info!("asked to stop: finishing what runs, at most {} s", GRACE.as_secs());
                stop.cancel();
            }
        });
        Ok(())
    }
}
