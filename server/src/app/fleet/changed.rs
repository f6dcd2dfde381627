//! Telling whoever listens what has changed in a cluster.

use std::collections::BTreeSet;

use muster_domain::{ClusterId, GuestId, NodeId, Timestamp, reach};
use muster_store::guests::{GuestAgent, GuestRow, GuestUpdates};
use muster_store::{StoreError, Tx};
use uuid::Uuid;

use crate::app::App;

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

    /// A guest, and with it the counts of its node.
    pub fn guest(&mut self, row: &GuestRow) {
        self.guests.insert(GuestId(row.id));
        self.node(NodeId(row.node_id));
    }

    /// A guest that no longer exists.
    pub fn guest_gone(&mut self, row: &GuestRow) {
        self.gone.insert(GuestId(row.id));
        self.node(NodeId(row.node_id));
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

/// Writes how a guest's agent is, which ways lead into the guest from now on, and tells whoever listens. Call it last in a
/// transaction: it publishes.
pub async fn agent_changed(app: &App, tx: &mut Tx, guest: GuestId, agent: &GuestAgent) -> Result<(), StoreError> {
    tx.set_guest_agent(guest, agent).await?;
    let Some(row) = tx.guest(guest).await? else {
        return Ok(());
    };
    put_reach(tx, &row).await?;
    let facts = serde_json::json!({ "cluster": row.cluster_id, "state": agent.state });
    tx.publish(app.clock.now(), "agent.state", Some(guest.0), facts).await?;
    publish_guest(app, tx, &row).await
}

/// Writes what is known of a guest's updates, and tells whoever listens. Call it last in a transaction: it publishes.
pub async fn updates_changed(app: &App, tx: &mut Tx, guest: GuestId, updates: &GuestUpdates) -> Result<(), StoreError> {
    tx.set_guest_updates(guest, updates).await?;
    let Some(row) = tx.guest(guest).await? else {
        return Ok(());
    };
    let facts = serde_json::json!({ "cluster": row.cluster_id });
    tx.publish(app.clock.now(), "updates.changed", Some(guest.0), facts)
        .await?;
    publish_guest(app, tx, &row).await
}

/// Tells whoever listens that a cluster changed. Call it last in a transaction: it publishes.
pub async fn cluster_changed(app: &App, tx: &mut Tx, id: ClusterId) -> Result<(), StoreError> {
    let mut changed = Changed::of(id);
    changed.cluster();
    changed.publish(tx, app.clock.now()).await
}

/// Tells whoever listens that a job begins, ends or waits in a guest. Call it last in a transaction: it publishes.
pub async fn work_changed(app: &App, tx: &mut Tx, guest: GuestId) -> Result<(), StoreError> {
    match tx.guest(guest).await? {
        Some(row) => publish_guest(app, tx, &row).await,
        None => Ok(()),
    }
}

/// Writes which ways lead into a guest, as its row says.
pub(in crate::app) async fn put_reach(tx: &mut Tx, row: &GuestRow) -> Result<(), StoreError> {
    let reach = reach::of(&row.state()?);
    let best = reach.best.map(reach::Transport::as_str);
    tx.set_guest_reach(GuestId(row.id), best, reach.needs_step.as_deref())
        .await
}

async fn publish_guest(app: &App, tx: &mut Tx, row: &GuestRow) -> Result<(), StoreError> {
    let mut changed = Changed::of(ClusterId(row.cluster_id));
    changed.guest(row);
    changed.publish(tx, app.clock.now()).await
}
