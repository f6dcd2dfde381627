//! Telling whoever listens what has changed in a cluster.

use std::collections::BTreeSet;

use muster_domain::{ClusterId, GuestId, NodeId, Timestamp};
use muster_store::{StoreError, Tx};
use uuid::Uuid;

/// What has changed, collected while it is written and published at the end of the transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    cluster: ClusterId,
    cluster_changed: bool,
    nodes: BTreeSet<NodeId>,
    guests: BTreeSet<GuestId>,
    gone: BTreeSet<GuestId>,
}

impl Changed {
    /// Nothing yet.
    pub fn of(cluster: ClusterId) -> Changed {
        Changed {
            cluster,
            cluster_changed: false,
            nodes: BTreeSet::new(),
            guests: BTreeSet::new(),
            gone: BTreeSet::new(),
        }
    }

    /// The cluster itself.
    pub fn cluster(&mut self) {
        self.cluster_changed = true;
    }

    /// A node.
    pub fn node(&mut self, id: NodeId) {
        self.nodes.insert(id);
    }

    /// A guest.
    pub fn guest(&mut self, id: GuestId) {
        self.guests.insert(id);
    }

    /// A guest that no longer exists.
    pub fn guest_gone(&mut self, id: GuestId) {
        self.gone.insert(id);
    }

    /// Publishes all of it. The counts of the cluster change with anything below it.
    pub async fn publish(self, tx: &mut Tx, at: Timestamp) -> Result<(), StoreError> {
        let facts = serde_json::json!({ "cluster": self.cluster });
        let some = |kind: &'static str, ids: Vec<Uuid>| ids.into_iter().map(move |id| (kind, id));
        let anything =
            self.cluster_changed || !(self.nodes.is_empty() && self.guests.is_empty() && self.gone.is_empty());
        let all = some("node.changed", self.nodes.into_iter().map(|id| id.0).collect())
            .chain(some("guest.changed", self.guests.into_iter().map(|id| id.0).collect()))
            .chain(some("guest.gone", self.gone.into_iter().map(|id| id.0).collect()))
            .chain(anything.then_some(("cluster.changed", self.cluster.0)));
        for (kind, id) in all {
            tx.publish(at, kind, Some(id), facts.clone()).await?;
        }
        Ok(())
    }
}
