//! Working on many targets at once without burdening one node: a number of places per node, shared by all jobs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use muster_store::job_targets::TargetRow;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use super::{JobContext, JobError};

/// Targets of one node that are worked on at once: each costs CPU and disk of the same machine.
const PER_NODE: usize = 8;
/// Targets that are worked on at once in all, for the sake of this server.
const IN_ALL: usize = 128;

/// The places of all nodes.
#[derive(Debug)]
pub struct Places {
    all: Arc<Semaphore>,
    nodes: Mutex<HashMap<Option<Uuid>, Arc<Semaphore>>>,
    trials: Mutex<HashMap<Uuid, Arc<Semaphore>>>,
}

impl Default for Places {
    fn default() -> Self {
        Places {
            all: Arc::new(Semaphore::new(IN_ALL)),
            nodes: Mutex::default(),
            trials: Mutex::default(),
        }
    }
}

impl Places {
    /// Waits until nobody else tries what the node can do.
    pub(super) async fn try_alone(&self, node: Uuid) -> OwnedSemaphorePermit {
        let turn = {
            let mut trials = self.trials.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(trials.entry(node).or_insert_with(|| Arc::new(Semaphore::new(1))))
        };
        turn.acquire_owned().await.expect("the turns are never closed")
    }

    /// Waits for a place on the node and one in all, in that order, so that a busy node holds up nobody else.
    async fn take(&self, node: Option<Uuid>) -> (OwnedSemaphorePermit, OwnedSemaphorePermit) {
        let places = {
            let mut nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
            let new = || Arc::new(Semaphore::new(PER_NODE));
            Arc::clone(nodes.entry(node).or_insert_with(new))
        };
        let closed = "the places are never closed";
        let on_node = places.acquire_owned().await.expect(closed);
        let in_all = Arc::clone(&self.all).acquire_owned().await.expect(closed);
        (on_node, in_all)
    }
}

impl JobContext {
    /// Works on all `targets`, a bounded number per node at a time. A target that has no place yet when the job is
    /// stopped is not begun. The first error of `work` is answered after all that were begun have ended.
    pub async fn for_each<W, F>(&self, targets: Vec<TargetRow>, work: W) -> Result<(), JobError>
    where
        W: Fn(TargetRow) -> F,
        F: Future<Output = Result<(), JobError>>,
    {
        let work = &work;
        let mut under_way: FuturesUnordered<_> = targets
            .into_iter()
            .map(|target| async move {
                let _place = tokio::select! {
                    biased;
                    () = self.stop.cancelled() => return Err(JobError::Stopped),
                    place = self.app.jobs.places.take(target.node_id) => place,
                };
                work(target).await
            })
            .collect();
        let mut outcome = Ok(());
        while let Some(ended) = under_way.next().await {
            outcome = outcome.and(ended);
        }
        outcome
    }
}
