//! Loops without input that compare and act: run at an interval or when kicked, with a status people can see.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;
use muster_domain::Timestamp;
use tokio::sync::Notify;

use super::Lifecycle;

/// Makes a loop run now instead of at its next turn. Cheap to clone; kicks during a run lead to one more run.
#[derive(Debug, Clone, Default)]
pub struct Kick(Arc<Notify>);

impl Kick {
    /// Runs the loop soon.
    pub fn now(&self) {
        self.0.notify_one();
    }

    /// Waits for the next kick; one that came before counts.
    pub async fn wait(&self) {
        self.0.notified().await;
    }
}

/// What a loop did last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoopStatus {
    /// The loop's name.
    pub name: &'static str,
    /// Seconds between two runs that nobody asked for.
    pub every_seconds: u64,
    /// How often it has run since the start of the process.
    pub runs: u64,
    /// When the last run ended.
    pub last_ended_at: Option<Timestamp>,
    /// How long it took, in milliseconds.
    pub last_duration_ms: Option<u64>,
    /// What it said it did.
    pub last_result: Option<String>,
    /// Why it failed, when it did.
    pub last_error: Option<String>,
}

#[derive(Clone, Default)]
pub(super) struct Register(Arc<Mutex<Vec<LoopStatus>>>);

impl Register {
    fn add(&self, name: &'static str, every: Duration) -> usize {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(LoopStatus {
            name,
            every_seconds: every.as_secs(),
            runs: 0,
            last_ended_at: None,
            last_duration_ms: None,
            last_result: None,
            last_error: None,
        });
        all.len() - 1
    }

    fn note(&self, slot: usize, at: Timestamp, took: Duration, result: Result<String, String>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let status = &mut all[slot];
        status.runs += 1;
        status.last_ended_at = Some(at);
        status.last_duration_ms = u64::try_from(took.as_millis()).ok();
        (status.last_result, status.last_error) = match result {
            Ok(done) => (Some(done), None),
            Err(error) => (None, Some(error)),
        };
    }

    fn all(&self) -> Vec<LoopStatus> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Lifecycle {
    /// Runs `work` now, then `every` so often and whenever `kick`ed, until the process stops. `work` answers with a short
    /// sentence of what it did. A failed or panicked run is logged; the next turn is the retry.
    pub fn every<F, Fut>(&self, name: &'static str, every: Duration, kick: Kick, mut work: F)
    where
        F: FnMut() -> Fut + Send + 'static,
        Fut: Future<Output = Result<String, anyhow::Error>> + Send,
    {
        let slot = self.loops.add(name, every);
        let this = self.clone();
        self.spawn(name, async move {
            while !this.stop.is_cancelled() {
                let started = tokio::time::Instant::now();
                let result = match AssertUnwindSafe(async { work().await }).catch_unwind().await {
                    Ok(result) => result.map_err(|error| format!("{error:#}")),
                    Err(_) => Err("it panicked; this is a bug".to_owned()),
                };
                if let Err(error) = &result {
                    tracing::warn!(task = name, error = %error, "a background loop failed; it runs again at its next turn");
                }
                this.loops.note(slot, this.clock.now(), started.elapsed(), result);
                tokio::select! {
                    () = this.stop.cancelled() => {}
                    () = tokio::time::sleep(every) => {}
                    () = kick.wait() => {}
                }
            }
        });
    }

    /// What each loop did last, in the order they were started.
    pub fn loops(&self) -> Vec<LoopStatus> {
        self.loops.all()
    }
}
