//! How many calls may be under way at once.
//!
//! PVE answers API calls with three worker processes per node, each of which works on one call at a time, so a client
//! that sends many at once slows down everybody who uses that node.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The number of calls that a client has under way at once; the others wait, in order. Zero is taken as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Of one client in all.
    pub per_cluster: usize,
    /// About one node.
    pub per_node: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            per_cluster: 4,
            per_node: 2,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Gate {
    limits: Limits,
    cluster: Arc<Semaphore>,
    nodes: Mutex<HashMap<String, Arc<Semaphore>>>,
}

/// Held while a call is under way.
pub(crate) struct Permits {
    _cluster: OwnedSemaphorePermit,
    _node: Option<OwnedSemaphorePermit>,
}

impl Gate {
    pub(crate) fn new(limits: Limits) -> Self {
        let cluster = Arc::new(Semaphore::new(limits.per_cluster.max(1)));
        Self {
            limits,
            cluster,
            nodes: Mutex::default(),
        }
    }

    /// Waits for a free place. The node's comes first, so that a busy node's callers do not hold places of the
    /// cluster while they wait.
    pub(crate) async fn enter(&self, node: Option<&str>) -> Permits {
        let node = match node {
            Some(name) => Some(place(self.node(name)).await),
            None => None,
        };
        Permits {
            _cluster: place(self.cluster.clone()).await,
            _node: node,
        }
    }

    fn node(&self, name: &str) -> Arc<Semaphore> {
        let mut nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(Semaphore::new(self.limits.per_node.max(1)));
        nodes.entry(name.to_owned()).or_insert_with(new).clone()
    }
}

async fn place(semaphore: Arc<Semaphore>) -> OwnedSemaphorePermit {
    semaphore
        .acquire_owned()
        .await
        .expect("the gate never closes its semaphores")
}
