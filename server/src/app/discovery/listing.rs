//! The first step: what the list says is compared with what is stored, and the difference is written.

use std::collections::{BTreeMap, HashMap};

use muster_domain::discovery::{self, Change, Fact, GuestFacts, Known, NodeFacts};
use muster_domain::fleet::{AgentState, Backup, ExecEndpoint, GuestKind, NodeStatus, UpdatesState};
use muster_domain::reach::{QemuAgent, TokenConsole};
use muster_domain::{ClusterId, GuestId, NodeId, Timestamp, reach};
use muster_store::guests::GuestRow;
use muster_store::nodes::NodeRow;
use muster_store::{StoreError, Tx};

use super::hidden::{self, Unlisted};
use super::{Discovery, Found, Summary, names};
use crate::app::{App, Error, fleet};
use crate::pve::Seen;

/// What is stored after the first step.
pub(super) struct Written {
    /// The nodes that are there.
    pub(super) nodes: Vec<NodeRow>,
    /// The guests that are there, each with what changed.
    pub(super) guests: Vec<(GuestRow, Vec<Fact>)>,
    /// What was found so far.
    pub(super) summary: Summary,
    /// The guests that are not listed and not gone.
    pub(super) unlisted: Unlisted,
}

/// Writes the difference, if there is one.
pub(super) async fn write(discovery: &Discovery<'_>, seen: &Seen) -> Result<Written, Error> {
    let (app, cluster, now) = (discovery.app, discovery.cluster(), discovery.started);
    let mut tx = app.store.read().await?;
    let stored = Stored::read(&mut tx, cluster).await?;
    drop(tx);
    let unlisted = hidden::find(discovery, &stored.guests, seen).await;
    if stored.changes(seen, &unlisted, now).is_empty() {
        return Ok(stored.unchanged(seen, unlisted));
    }
    muster_store::write!(app.store, tx => {
        if tx.cluster(cluster).await?.is_none() {
            // It was removed while PVE answered.
            return Err(Error::NotFound { kind: "cluster", id: cluster.to_string() });
        }
        let stored = Stored::read(tx, cluster).await?;
        let changes = stored.changes(seen, &unlisted, now);
        stored.apply(app, tx, cluster, changes, seen, unlisted.clone(), now).await
    })
}

struct Stored {
    nodes: Vec<NodeRow>,
    guests: Vec<GuestRow>,
    tombstones: Vec<GuestRow>,
}

struct Changes {
    nodes: Vec<Change<NodeId, NodeFacts>>,
    guests: Vec<Change<GuestId, GuestFacts>>,
    /// Those that can no longer be seen.
    hidden: Vec<GuestId>,
}

impl Changes {
    fn is_empty(&self) -> bool {
        self.nodes.is_empty() && self.guests.is_empty() && self.hidden.is_empty()
    }
}

impl Stored {
    async fn read(tx: &mut Tx, cluster: ClusterId) -> Result<Stored, StoreError> {
        Ok(Stored {
            nodes: tx.nodes_of(cluster).await?,
            guests: tx.guests_of(cluster).await?,
            tombstones: tx.gone_guests_of(cluster).await?,
        })
    }

    fn changes(&self, seen: &Seen, unlisted: &Unlisted, now: Timestamp) -> Changes {
        let nodes: Vec<_> = self.nodes.iter().map(known_node).collect();
        let is_listed = |vmid: i64| seen.guests.iter().any(|guest| guest.vmid == vmid);
        let guests: Vec<_> = self
            .guests
            .iter()
            .filter(|row| !unlisted.keeps(row.vmid) || is_listed(row.vmid))
            .chain(&self.tombstones)
            .filter_map(known_guest)
            .collect();
        Changes {
            nodes: discovery::nodes(&seen.nodes, &nodes, now),
            guests: discovery::guests(&seen.guests, &seen.nodes, &guests, now),
            hidden: self
                .guests
                .iter()
                .filter(|row| !row.hidden && unlisted.hidden.contains(&row.vmid))
                .map(|row| GuestId(row.id))
                .collect(),
        }
    }

    fn unchanged(self, seen: &Seen, unlisted: Unlisted) -> Written {
        Written {
            nodes: self.nodes.into_iter().filter(|node| node.gone_at.is_none()).collect(),
            guests: self.guests.into_iter().map(|guest| (guest, Vec::new())).collect(),
            summary: counted(seen),
            unlisted,
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one transaction")]
    async fn apply(
        self,
        app: &App,
        tx: &mut Tx,
        cluster: ClusterId,
        changes: Changes,
        seen: &Seen,
        unlisted: Unlisted,
        now: Timestamp,
    ) -> Result<Written, Error> {
        let mut summary = counted(seen);
        let mut events = fleet::Changed::of(cluster);
        let mut nodes: BTreeMap<NodeId, NodeRow> = self.nodes.into_iter().map(|row| (NodeId(row.id), row)).collect();
        for change in changes.nodes {
            let id = node(app, tx, cluster, &mut nodes, change, now, &mut summary).await?;
            events.node(id);
        }
        let ids: HashMap<String, NodeId> = nodes.iter().map(|(id, row)| (row.name.clone(), *id)).collect();
        let mut guests: BTreeMap<GuestId, (GuestRow, Vec<Fact>)> = self
            .guests
            .into_iter()
            .chain(self.tombstones)
            .map(|row| (GuestId(row.id), (row, Vec::new())))
            .collect();
        for change in changes.guests {
            let place = |name: &str| ids.get(name).and_then(|id| nodes.get(id));
            if let Some((before, _)) = change.of().and_then(|id| guests.get(&id)) {
                // It may be on another node afterwards.
                events.node(NodeId(before.node_id));
            }
            let id = guest(app, tx, cluster, &mut guests, place, change, now, &mut summary).await?;
            if let Some((row, _)) = guests.get(&id) {
                if row.gone_at.is_some() {
                    events.guest_gone(row)
                } else {
                    events.guest(row)
                }
            }
        }
        if !summary.gone.is_empty() {
            tx.wake_jobs_waiting_in(cluster, now).await?;
        }
        for id in changes.hidden {
            if let Some((row, _)) = guests.get_mut(&id) {
                hide(tx, row, now, &mut summary).await?;
                events.guest(row);
            }
        }
        events.publish(tx, now).await?;
        Ok(Written {
            nodes: nodes.into_values().filter(|node| node.gone_at.is_none()).collect(),
            guests: guests
                .into_values()
                .filter(|(guest, _)| guest.gone_at.is_none())
                .collect(),
            summary,
            unlisted,
        })
    }
}

async fn node(
    app: &App,
    tx: &mut Tx,
    cluster: ClusterId,
    nodes: &mut BTreeMap<NodeId, NodeRow>,
    change: Change<NodeId, NodeFacts>,
    now: Timestamp,
    summary: &mut Summary,
) -> Result<NodeId, StoreError> {
    let found = |name: &str, facts: &[Fact]| Found {
        kind: "node".to_owned(),
        name: name.to_owned(),
        vmid: None,
        facts: names(facts),
    };
    match change {
        Change::New(facts) => {
            let id = NodeId(app.ids.next());
            summary.appeared.push(found(&facts.name, &[]));
            let mut row = new_node(id, cluster, now);
            put_node(&mut row, facts);
            tx.insert_node(&row).await?;
            nodes.insert(id, row);
            Ok(id)
        }
        Change::Back(id, facts) => {
            summary.appeared.push(found(&facts.name, &[]));
            save_node(tx, nodes, id, facts).await?;
            Ok(id)
        }
        Change::Changed(id, facts, differences) => {
            summary.changed.push(found(&facts.name, &differences));
            save_node(tx, nodes, id, facts).await?;
            Ok(id)
        }
        Change::Gone(id) => {
            if let Some(row) = nodes.get_mut(&id) {
                summary.gone.push(found(&row.name, &[]));
                row.gone_at = Some(now.as_micros());
                tx.save_node(row).await?;
            }
            Ok(id)
        }
    }
}

async fn save_node(
    tx: &mut Tx,
    nodes: &mut BTreeMap<NodeId, NodeRow>,
    id: NodeId,
    facts: NodeFacts,
) -> Result<(), StoreError> {
    let Some(row) = nodes.get_mut(&id) else { return Ok(()) };
    put_node(row, facts);
    tx.save_node(row).await
}

#[expect(clippy::too_many_arguments, reason = "the parts of one transaction")]
async fn guest<'a>(
    app: &App,
    tx: &mut Tx,
    cluster: ClusterId,
    guests: &mut BTreeMap<GuestId, (GuestRow, Vec<Fact>)>,
    place: impl Fn(&str) -> Option<&'a NodeRow>,
    change: Change<GuestId, GuestFacts>,
    now: Timestamp,
    summary: &mut Summary,
) -> Result<GuestId, Error> {
    let (id, facts, differences) = match change {
        Change::Gone(id) => {
            if let Some((row, _)) = guests.get_mut(&id) {
                summary.gone.push(found(row, &[]));
                row.gone_at = Some(now.as_micros());
                put_reach(row)?;
                tx.save_guest(row).await?;
            }
            return Ok(id);
        }
        Change::New(facts) => (GuestId(app.ids.next()), facts, None),
        Change::Back(id, facts) => (id, facts, None),
        Change::Changed(id, facts, differences) => (id, facts, Some(differences)),
    };
    let node = place(&facts.node)
        .ok_or_else(|| Error::Internal(format!("{} is on {}, which is not listed", facts.vmid, facts.node)))?;
    let is_new = !guests.contains_key(&id);
    let (row, noted) = guests
        .entry(id)
        .or_insert_with(|| (new_guest(id, cluster, now), Vec::new()));
    put_guest(row, facts, node);
    put_reach(row)?;
    if is_new {
        tx.insert_guest(row).await?;
    } else {
        tx.save_guest(row).await?;
    }
    match differences {
        None => {
            // Everything may have changed while it was away.
            row.details_at = None;
            summary.appeared.push(found(row, &[]));
        }
        Some(differences) => {
            summary.changed.push(found(row, &differences));
            *noted = differences;
        }
    }
    Ok(id)
}

/// Keeps what is known of a guest that can no longer be seen, as old.
async fn hide(tx: &mut Tx, row: &mut GuestRow, now: Timestamp, summary: &mut Summary) -> Result<(), Error> {
    row.hidden = true;
    row.stale_since.get_or_insert(now.as_micros());
    put_reach(row)?;
    tx.save_guest(row).await?;
    summary.changed.push(found(row, &[Fact::Stale]));
    Ok(())
}

pub(super) fn found(row: &GuestRow, facts: &[Fact]) -> Found {
    Found {
        kind: row.kind.clone(),
        name: row.name.clone(),
        vmid: Some(row.vmid),
        facts: names(facts),
    }
}

/// Writes into the row which ways lead into the guest.
pub(super) fn put_reach(row: &mut GuestRow) -> Result<(), StoreError> {
    let reach = reach::of(&row.state()?);
    row.reach_best = reach.best.map(|best| best.as_str().to_owned());
    row.reach_needs = reach.needs_step;
    Ok(())
}

/// How much the list holds.
pub(super) fn counted(seen: &Seen) -> Summary {
    Summary {
        nodes_found: seen.nodes.len(),
        guests_found: seen.guests.len(),
        ..Summary::default()
    }
}

fn known_node(row: &NodeRow) -> Known<NodeId, NodeFacts> {
    Known {
        id: NodeId(row.id),
        facts: NodeFacts {
            name: row.name.clone(),
            status: NodeStatus::parse(&row.status).unwrap_or(NodeStatus::Unknown),
            stale_since: row.stale_since.map(Timestamp::from_micros),
            cpus: row.cpus,
            memory_total: row.memory_total,
        },
        gone: row.gone_at.is_some(),
    }
}

fn known_guest(row: &GuestRow) -> Option<Known<GuestId, GuestFacts>> {
    let state = row.state().ok()?;
    Some(Known {
        id: GuestId(row.id),
        facts: GuestFacts {
            vmid: row.vmid,
            kind: state.kind,
            node: row.node.clone(),
            name: row.name.clone(),
            status: state.status,
            stale_since: row.stale_since.map(Timestamp::from_micros),
            lock: row.lock.clone(),
            template: row.template,
            tags: row.tags.clone(),
            pool: row.pool.clone(),
            cpus: row.cpus,
            memory_max: row.memory_max,
            disk_max: row.disk_max,
        },
        gone: row.gone_at.is_some(),
    })
}

fn put_node(row: &mut NodeRow, facts: NodeFacts) {
    row.name = facts.name;
    row.status = facts.status.as_str().to_owned();
    row.stale_since = facts.stale_since.map(Timestamp::as_micros);
    row.cpus = facts.cpus;
    row.memory_total = facts.memory_total;
    row.gone_at = None;
}

fn put_guest(row: &mut GuestRow, facts: GuestFacts, node: &NodeRow) {
    row.node_id = node.id;
    row.node.clone_from(&node.name);
    row.node_status.clone_from(&node.status);
    row.node_stale_since = node.stale_since;
    row.node_version.clone_from(&node.version);
    row.exec_endpoint.clone_from(&node.exec_endpoint);
    row.exec_endpoint_version.clone_from(&node.exec_endpoint_version);
    row.vmid = facts.vmid;
    row.kind = facts.kind.as_str().to_owned();
    row.name = facts.name;
    row.status = facts.status.as_str().to_owned();
    row.stale_since = facts.stale_since.map(Timestamp::as_micros);
    row.lock = facts.lock;
    row.template = facts.template;
    row.tags = facts.tags;
    row.pool = facts.pool;
    row.cpus = facts.cpus;
    row.memory_max = facts.memory_max;
    row.disk_max = facts.disk_max;
    row.gone_at = None;
    row.hidden = false;
}

fn new_node(id: NodeId, cluster: ClusterId, now: Timestamp) -> NodeRow {
    NodeRow {
        id: id.0,
        cluster_id: cluster.0,
        name: String::new(),
        status: NodeStatus::Unknown.as_str().to_owned(),
        stale_since: None,
        address: None,
        version: None,
        cpus: None,
        memory_total: None,
        updates_state: UpdatesState::Unknown.as_str().to_owned(),
        updates_total: None,
        updates_security: None,
        updates_reason: None,
        exec_endpoint: ExecEndpoint::Unknown.as_str().to_owned(),
        exec_endpoint_version: None,
        details_at: None,
        first_seen_at: now.as_micros(),
        gone_at: None,
        packages: None,
        token_console: TokenConsole::Unknown.as_str().to_owned(),
        token_console_packages: None,
        token_console_at: None,
    }
}

fn new_guest(id: GuestId, cluster: ClusterId, now: Timestamp) -> GuestRow {
    GuestRow {
        id: id.0,
        cluster_id: cluster.0,
        node_id: id.0,
        node: String::new(),
        node_status: NodeStatus::Unknown.as_str().to_owned(),
        node_stale_since: None,
        node_version: None,
        exec_endpoint: ExecEndpoint::Unknown.as_str().to_owned(),
        exec_endpoint_version: None,
        work_job: None,
        work_kind: None,
        work_state: None,
        work_step: None,
        packages: None,
        token_console: TokenConsole::Unknown.as_str().to_owned(),
        token_console_packages: None,
        release: None,
        login_user: None,
        vmid: 0,
        kind: GuestKind::Lxc.as_str().to_owned(),
        name: String::new(),
        status: String::new(),
        stale_since: None,
        lock: None,
        template: false,
        tags: String::new(),
        pool: None,
        system_id: None,
        system_name: None,
        addresses: String::new(),
        cpus: None,
        memory_max: None,
        disk_max: None,
        unprivileged: None,
        cmode: None,
        has_mounts: None,
        backup: Backup::Unknown.as_str().to_owned(),
        config_digest: None,
        details_at: None,
        agent_state: AgentState::None.as_str().to_owned(),
        agent_version: None,
        agent_seen_at: None,
        agent_reason: None,
        updates_state: UpdatesState::Unknown.as_str().to_owned(),
        updates_total: None,
        updates_security: None,
        updates_scanned_at: None,
        updates_reason: None,
        reboot_required: None,
        reach_best: None,
        reach_needs: None,
        first_seen_at: now.as_micros(),
        gone_at: None,
        hidden: false,
        rights: None,
        cmode_pending: None,
        qemu_agent: QemuAgent::Unknown.as_str().to_owned(),
    }
}
