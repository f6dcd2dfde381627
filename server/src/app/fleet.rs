//! The fleet as people see it: clusters, nodes and guests with their marks, counts and allowed actions; and the way for
//! agents, scans and jobs to write what they know of a guest.

mod changed;

use std::collections::HashMap;

use muster_domain::access::Role;
use muster_domain::actions::{self, Action};
use muster_domain::fleet::{GuestState, NodeStatus};
use muster_domain::reach::{self, Way};
use muster_domain::rollup::{self, ClusterState, NextStep, Rollup, Tick, Traits};
use muster_domain::{ClusterId, GuestId, JobId, NodeId, Timestamp};
use muster_store::clusters::ClusterRow;
use muster_store::guest_list::GuestFilter;
use muster_store::guests::GuestRow;
use muster_store::nodes::NodeRow;
use muster_store::rollups::AlikeRow;
use muster_store::{StoreError, Tx};
use uuid::Uuid;

use super::{App, Ctx, Error};
use crate::pve::NodeLoad;

pub(super) use changed::put_reach;
pub use changed::{Changed, agent_changed, cluster_changed, updates_changed, work_changed};

/// A guest.
#[derive(Debug, Clone, PartialEq)]
pub struct Guest {
    /// What is stored.
    pub row: GuestRow,
    /// What the rules know of it.
    pub state: GuestState,
    /// Its mark in the roll call.
    pub tick: Tick,
    /// What the caller may do with it.
    pub actions: Vec<Action>,
}

/// A node.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What is stored.
    pub row: NodeRow,
    /// Its load at the last listing.
    pub load: Option<NodeLoad>,
    /// Its guests in numbers.
    pub rollup: Rollup,
    /// What the caller may do with it.
    pub actions: Vec<Action>,
}

/// A cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct Cluster {
    /// What is stored.
    pub row: ClusterRow,
    /// When it was last listed.
    pub listed_at: Option<Timestamp>,
    /// Its guests in numbers.
    pub rollup: Rollup,
    /// The discovery that somebody asked for and that has not ended.
    pub discovery: Option<JobId>,
    /// The one thing to do next.
    pub next_step: Option<NextStep>,
    /// What the caller may do with it.
    pub actions: Vec<Action>,
}

/// A cluster with everything below it.
#[derive(Debug, Clone, PartialEq)]
pub struct Tree {
    /// Number of the newest event that is in it; the stream of events goes on from there.
    pub cursor: i64,
    /// The cluster.
    pub cluster: Cluster,
    /// Its nodes by name, each with its guests by number when the tree is that deep.
    pub nodes: Vec<(Node, Option<Vec<Guest>>)>,
}

/// How deep a tree is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Down to the nodes: their guests in numbers only.
    Nodes,
    /// Down to the guests.
    Guests,
}

/// One page of guests.
#[derive(Debug, Clone, PartialEq)]
pub struct GuestPage {
    /// The guests.
    pub guests: Vec<Guest>,
    /// Whether there are more.
    pub more: bool,
    /// How many there are in all, when that was asked.
    pub total: Option<i64>,
}

impl App {
    /// All clusters by name.
    pub async fn clusters(&self, ctx: &Ctx) -> Result<Vec<Cluster>, Error> {
        let mut tx = self.store.read().await?;
        let rows = tx.clusters().await?;
        let alike = tx.alike_guests().await?;
        let discoveries = tx.open_discoveries().await?;
        drop(tx);
        let mut rollups = rollups(&alike, |row| row.cluster_id)?;
        let cluster = |row: ClusterRow| {
            let rollup = rollups.remove(&row.id).unwrap_or_default();
            cluster(self, role(ctx), row, rollup, &discoveries)
        };
        Ok(rows.into_iter().map(cluster).collect())
    }

    /// One cluster.
    pub async fn cluster(&self, ctx: &Ctx, id: ClusterId) -> Result<Cluster, Error> {
        let mut tx = self.store.read().await?;
        let row = cluster_row(&mut tx, id).await?;
        let rollup = rollup(&tx.alike_guests_of_cluster(id).await?)?;
        let discoveries = tx.open_discoveries().await?;
        Ok(cluster(self, role(ctx), row, rollup, &discoveries))
    }

    /// A cluster with what is below it, down to `depth`, all of one moment.
    pub async fn tree(&self, ctx: &Ctx, id: ClusterId, depth: Depth) -> Result<Tree, Error> {
        let mut tx = self.store.read().await?;
        let row = cluster_row(&mut tx, id).await?;
        let cursor = tx.event_bounds().await?.map_or(0, |(_, newest)| newest);
        let nodes = tx.nodes_of(id).await?;
        let alike = tx.alike_guests_of_cluster(id).await?;
        let guests = match depth {
            Depth::Nodes => None,
            Depth::Guests => Some(tx.guests_of(id).await?),
        };
        let discoveries = tx.open_discoveries().await?;
        drop(tx);
        let role = role(ctx);
        let mut rollups = rollups(&alike, |row| row.node_id)?;
        let mut guests = guests.map(|rows| by_node(role, rows)).transpose()?;
        let branch = |row: NodeRow| {
            let rollup = rollups.remove(&row.id).unwrap_or_default();
            let guests = guests.as_mut().map(|all| all.remove(&row.id).unwrap_or_default());
            let shown = row.gone_at.is_none() || rollup.guests > 0;
            shown.then(|| (node(self, role, row, rollup), guests))
        };
        let nodes = nodes.into_iter().filter_map(branch).collect();
        let cluster = cluster(self, role, row, rollup(&alike)?, &discoveries);
        Ok(Tree { cursor, cluster, nodes })
    }

    /// One node.
    pub async fn node(&self, ctx: &Ctx, id: NodeId) -> Result<Node, Error> {
        let mut tx = self.store.read().await?;
        let row = tx.node(id).await?.ok_or_else(|| Error::NotFound {
            kind: "node",
            id: id.to_string(),
        })?;
        let rollup = rollup(&tx.alike_guests_of_node(id).await?)?;
        Ok(node(self, role(ctx), row, rollup))
    }

    /// Guests over all clusters, by name.
    pub async fn guests(
        &self,
        ctx: &Ctx,
        filter: &GuestFilter,
        after: Option<(&str, GuestId)>,
        limit: i64,
        count: bool,
    ) -> Result<GuestPage, Error> {
        let mut tx = self.store.read().await?;
        let mut rows = tx.guests_page(filter, after, limit.saturating_add(1)).await?;
        let total = match count {
            true => Some(tx.guests_count(filter).await?),
            false => None,
        };
        let limit = usize::try_from(limit).unwrap_or(0);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let role = role(ctx);
        let guests = rows
            .into_iter()
            .map(|row| sight(role, row))
            .collect::<Result<_, StoreError>>()?;
        Ok(GuestPage { guests, more, total })
    }

    /// These guests, also when they are gone; those that were never there are missing.
    pub async fn guests_by_id(&self, ctx: &Ctx, ids: &[GuestId]) -> Result<Vec<Guest>, Error> {
        let mut tx = self.store.read().await?;
        let rows = tx.guests_by_id(ids).await?;
        Ok(rows
            .into_iter()
            .map(|row| sight(role(ctx), row))
            .collect::<Result<_, StoreError>>()?)
    }

    /// One guest, also when it is gone, with the ways into it.
    pub async fn guest(&self, ctx: &Ctx, id: GuestId) -> Result<(Guest, Vec<Way>), Error> {
        let mut tx = self.store.read().await?;
        let row = tx.guest(id).await?.ok_or_else(|| Error::NotFound {
            kind: "guest",
            id: id.to_string(),
        })?;
        let guest = sight(role(ctx), row)?;
        let ways = reach::of(&guest.state).ways;
        Ok((guest, ways))
    }
}

/// Agents have use cases of their own and are shown no action.
fn role(ctx: &Ctx) -> Role {
    ctx.role().unwrap_or(Role::Viewer)
}

async fn cluster_row(tx: &mut Tx, id: ClusterId) -> Result<ClusterRow, Error> {
    tx.cluster(id).await?.ok_or_else(|| Error::NotFound {
        kind: "cluster",
        id: id.to_string(),
    })
}

fn sight(role: Role, row: GuestRow) -> Result<Guest, StoreError> {
    let state = row.state()?;
    Ok(Guest {
        tick: Traits::of(&state).tick(),
        actions: actions::of_guest(role, &state),
        row,
        state,
    })
}

fn by_node(role: Role, rows: Vec<GuestRow>) -> Result<HashMap<Uuid, Vec<Guest>>, StoreError> {
    let mut nodes: HashMap<Uuid, Vec<Guest>> = HashMap::new();
    for row in rows {
        nodes.entry(row.node_id).or_default().push(sight(role, row)?);
    }
    Ok(nodes)
}

fn node(app: &App, role: Role, row: NodeRow, rollup: Rollup) -> Node {
    let answers = row.status == NodeStatus::Online.as_str() && row.stale_since.is_none();
    Node {
        load: app
            .pve
            .of(ClusterId(row.cluster_id))
            .load(&row.name)
            .filter(|_| answers),
        actions: actions::of_node(role, &row.name, answers, &rollup),
        rollup,
        row,
    }
}

fn cluster(app: &App, role: Role, row: ClusterRow, rollup: Rollup, discoveries: &[(ClusterId, JobId)]) -> Cluster {
    let id = ClusterId(row.id);
    let state = ClusterState {
        paused: row.paused,
        discovered: row.last_discovered_at.is_some(),
        error: row.error_code.as_deref(),
    };
    Cluster {
        listed_at: app.pve.of(id).listed_at(),
        discovery: discoveries.iter().find(|(of, _)| *of == id).map(|(_, job)| *job),
        next_step: rollup::next_step(state, &rollup),
        actions: actions::of_cluster(role, state, &rollup),
        rollup,
        row,
    }
}

fn rollup(rows: &[AlikeRow]) -> Result<Rollup, StoreError> {
    let mut rollup = Rollup::default();
    for row in rows {
        rollup.add(&row.alike()?);
    }
    Ok(rollup)
}

fn rollups(rows: &[AlikeRow], of: impl Fn(&AlikeRow) -> Uuid) -> Result<HashMap<Uuid, Rollup>, StoreError> {
    let mut rollups: HashMap<Uuid, Rollup> = HashMap::new();
    for row in rows {
        rollups.entry(of(row)).or_default().add(&row.alike()?);
    }
    Ok(rollups)
}
