//! The fleet as people see it: clusters, nodes and guests with their marks, counts and allowed actions; and the way for
//! agents and scans to write what they know of a guest.

mod changed;

use std::collections::BTreeMap;

use muster_domain::access::Role;
use muster_domain::actions::{self, Action};
use muster_domain::fleet::{GuestState, NodeStatus};
use muster_domain::reach::{self, Way};
use muster_domain::rollup::{self, ClusterState, NextStep, Rollup, Tick};
use muster_domain::{ClusterId, GuestId, NodeId, Timestamp};
use muster_store::clusters::ClusterRow;
use muster_store::guest_list::GuestFilter;
use muster_store::guests::{GuestAgent, GuestRow, GuestUpdates};
use muster_store::nodes::NodeRow;
use muster_store::{StoreError, Tx};

use super::{App, Caller, Ctx, Error};
use crate::pve::NodeLoad;

pub use changed::Changed;

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
    pub counts: Counts,
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
    pub counts: Counts,
    /// The one thing to do next.
    pub next_step: Option<NextStep>,
    /// What the caller may do with it.
    pub actions: Vec<Action>,
}

/// Guests in numbers, and the mark of each.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Counts {
    /// The numbers.
    pub rollup: Rollup,
    /// The marks, in the order of nodes and numbers.
    pub ticks: Vec<(GuestId, Tick)>,
}

/// A cluster with everything below it.
#[derive(Debug, Clone, PartialEq)]
pub struct Tree {
    /// Number of the newest event that is in it; the stream of events goes on from there.
    pub cursor: i64,
    /// The cluster.
    pub cluster: Cluster,
    /// Its nodes by name, each with its guests by number.
    pub nodes: Vec<(Node, Vec<Guest>)>,
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
        let mut clusters = Vec::new();
        for row in tx.clusters().await? {
            let guests = tx.guests_of(ClusterId(row.id)).await?;
            clusters.push(cluster(self, role(ctx), row, &states(guests)?));
        }
        Ok(clusters)
    }

    /// One cluster.
    pub async fn cluster(&self, ctx: &Ctx, id: ClusterId) -> Result<Cluster, Error> {
        let mut tx = self.store.read().await?;
        let row = cluster_row(&mut tx, id).await?;
        let guests = tx.guests_of(id).await?;
        Ok(cluster(self, role(ctx), row, &states(guests)?))
    }

    /// A cluster with its nodes and guests, all of one moment.
    pub async fn tree(&self, ctx: &Ctx, id: ClusterId) -> Result<Tree, Error> {
        let mut tx = self.store.read().await?;
        let row = cluster_row(&mut tx, id).await?;
        let cursor = tx.event_bounds().await?.map_or(0, |(_, newest)| newest);
        let nodes = tx.nodes_of(id).await?;
        let guests = tx.guests_of(id).await?;
        drop(tx);
        let role = role(ctx);
        let states = states(guests)?;
        let cluster = cluster(self, role, row, &states);
        let mut by_node: BTreeMap<NodeId, Vec<Guest>> = BTreeMap::new();
        for guest in states.into_iter().map(|(row, state)| guest(role, row, state)) {
            by_node.entry(NodeId(guest.row.node_id)).or_default().push(guest);
        }
        let nodes = nodes
            .into_iter()
            .filter_map(|row| {
                let guests = by_node.remove(&NodeId(row.id)).unwrap_or_default();
                let shown = row.gone_at.is_none() || !guests.is_empty();
                let counts = counts(guests.iter().map(|guest| (&guest.row, &guest.state)));
                shown.then(|| (node(self, role, row, counts), guests))
            })
            .collect();
        Ok(Tree { cursor, cluster, nodes })
    }

    /// One node.
    pub async fn node(&self, ctx: &Ctx, id: NodeId) -> Result<Node, Error> {
        let mut tx = self.store.read().await?;
        let row = tx.node(id).await?.ok_or_else(|| Error::NotFound {
            kind: "node",
            id: id.to_string(),
        })?;
        let filter = GuestFilter {
            node: Some(id),
            ..GuestFilter::default()
        };
        let guests = tx.guests_page(&filter, None, i64::MAX).await?;
        let states = states(guests)?;
        let counts = counts(states.iter().map(|(row, state)| (row, state)));
        Ok(node(self, role(ctx), row, counts))
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
        let mut guests = Vec::with_capacity(ids.len());
        for id in ids {
            if let Some(row) = tx.guest(*id).await? {
                guests.push(sight(role(ctx), row)?);
            }
        }
        Ok(guests)
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

/// Writes which ways lead into a guest, as its row says.
pub(super) async fn put_reach(tx: &mut Tx, row: &GuestRow) -> Result<(), StoreError> {
    let reach = reach::of(&row.state()?);
    let best = reach.best.map(reach::Transport::as_str);
    tx.set_guest_reach(GuestId(row.id), best, reach.needs_step.as_deref())
        .await
}

async fn publish_guest(app: &App, tx: &mut Tx, row: &GuestRow) -> Result<(), StoreError> {
    let mut changed = Changed::of(ClusterId(row.cluster_id));
    changed.guest(GuestId(row.id));
    changed.publish(tx, app.clock.now()).await
}

/// What the caller may do at most. Agents have use cases of their own.
fn role(ctx: &Ctx) -> Role {
    match &ctx.caller {
        Caller::User { role, .. } | Caller::Token { role, .. } => *role,
        Caller::System | Caller::CommandLine => Role::Admin,
        Caller::Agent { .. } => Role::Viewer,
    }
}

async fn cluster_row(tx: &mut Tx, id: ClusterId) -> Result<ClusterRow, Error> {
    tx.cluster(id).await?.ok_or_else(|| Error::NotFound {
        kind: "cluster",
        id: id.to_string(),
    })
}

fn states(rows: Vec<GuestRow>) -> Result<Vec<(GuestRow, GuestState)>, StoreError> {
    rows.into_iter()
        .map(|row| {
            let state = row.state()?;
            Ok((row, state))
        })
        .collect()
}

fn sight(role: Role, row: GuestRow) -> Result<Guest, StoreError> {
    let state = row.state()?;
    Ok(guest(role, row, state))
}

fn guest(role: Role, row: GuestRow, state: GuestState) -> Guest {
    Guest {
        tick: rollup::tick(&state),
        actions: actions::of_guest(role, &state),
        row,
        state,
    }
}

fn node(app: &App, role: Role, row: NodeRow, counts: Counts) -> Node {
    let answers = row.status == NodeStatus::Online.as_str() && row.stale_since.is_none();
    Node {
        load: app
            .pve
            .of(ClusterId(row.cluster_id))
            .load(&row.name)
            .filter(|_| answers),
        actions: actions::of_node(role, &row.name, answers, &counts.rollup),
        counts,
        row,
    }
}

fn cluster(app: &App, role: Role, row: ClusterRow, guests: &[(GuestRow, GuestState)]) -> Cluster {
    let mut counts = counts(guests.iter().map(|(row, state)| (row, state)));
    let place: BTreeMap<GuestId, (&str, i64)> = guests
        .iter()
        .map(|(row, _)| (GuestId(row.id), (row.node.as_str(), row.vmid)))
        .collect();
    counts.ticks.sort_by_key(|(id, _)| place.get(id).copied());
    let state = ClusterState {
        paused: row.paused,
        discovered: row.last_discovered_at.is_some(),
        error: row.error_code.as_deref(),
    };
    Cluster {
        listed_at: app.pve.of(ClusterId(row.id)).listed_at(),
        next_step: rollup::next_step(state, &counts.rollup),
        actions: actions::of_cluster(role, state, &counts.rollup),
        counts,
        row,
    }
}

fn counts<'a>(guests: impl Iterator<Item = (&'a GuestRow, &'a GuestState)>) -> Counts {
    let mut counts = Counts::default();
    for (row, state) in guests {
        counts.rollup.add(state);
        counts.ticks.push((GuestId(row.id), rollup::tick(state)));
    }
    counts
}
