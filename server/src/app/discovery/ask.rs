//! Whom to ask for details: what is new or changed at once, what has grown old as the budget of calls allows.

use std::time::Duration;

use muster_domain::discovery::{Fact, Look, Wanted, look};
use muster_domain::fleet::{GuestKind, GuestStatus, NodeStatus};
use muster_domain::rights::{Major, Permissions};
use muster_domain::{GuestId, NodeId, Timestamp};
use muster_store::guests::GuestRow;
use muster_store::nodes::NodeRow;

use super::Discovery;
use crate::pve::{GuestToAsk, NodeToAsk, Seen};

/// How long after its start a guest may take to get an address, in seconds.
const ADDRESS_WITHIN: u64 = 120;
/// Those of one node: its version, its updates, its packages.
const NODE_COST: usize = 3;

/// The guests to ask.
pub(super) fn guests(
    discovery: &Discovery<'_>,
    rows: &[(GuestRow, Vec<Fact>)],
    permissions: &Permissions,
    seen: &Seen,
    restarted: &[i64],
) -> Vec<GuestToAsk> {
    let interval = interval(discovery);
    let mut aged = Vec::new();
    let mut wanted: Vec<GuestToAsk> = Vec::new();
    for (row, changed) in rows {
        let runs = runs(row);
        let at = Look {
            changed,
            restarted: restarted.contains(&row.vmid),
            awaits_address: awaits_address(row, seen),
            last: row.details_at.map(Timestamp::from_micros),
            stale: row.stale_since.is_some(),
        };
        let guest = to_ask(discovery, row, runs, permissions);
        match look(&at, discovery.started, interval) {
            Wanted::Now => wanted.push(guest),
            Wanted::Sometime | Wanted::No if discovery.reads_everything() && !at.stale => wanted.push(guest),
            Wanted::Sometime => aged.push((at.last, guest)),
            Wanted::No => {}
        }
    }
    discovery
        .memory
        .spend_calls(wanted.iter().map(cost).sum(), discovery.started);
    aged.sort_by_key(|(last, _)| *last);
    wanted.extend(
        aged.into_iter()
            .take_while(|(_, guest)| {
                discovery.has_time_for_the_old() && discovery.memory.take_calls(cost(guest), discovery.started)
            })
            .map(|(_, guest)| guest),
    );
    wanted
}

/// Calls that the details of a guest cost: its configuration and addresses, and for some one thing more.
fn cost(guest: &GuestToAsk) -> usize {
    let asks_system = guest.kind == GuestKind::Qemu && guest.may_ask_agent;
    2 + usize::from(asks_system || guest.console_changes)
}

/// Whether a guest started a short while ago and has no address yet.
pub(super) fn awaits_address(row: &GuestRow, seen: &Seen) -> bool {
    let uptime = seen.uptimes.get(&row.vmid);
    runs(row) && row.addresses.is_empty() && uptime.is_some_and(|uptime| *uptime < ADDRESS_WITHIN)
}

/// The nodes to ask.
pub(super) fn nodes(discovery: &Discovery<'_>, rows: &[NodeRow], permissions: &Permissions) -> Vec<NodeToAsk> {
    let interval = interval(discovery);
    rows.iter()
        .filter(|row| row.status == NodeStatus::Online.as_str())
        .filter(|row| {
            let last = row.details_at.map(Timestamp::from_micros);
            let never = last.is_none();
            let aged = last.is_some_and(|last| discovery.started.since(last) >= interval);
            let has_time =
                || discovery.has_time_for_the_old() && discovery.memory.take_calls(NODE_COST, discovery.started);
            discovery.reads_everything() || never || aged && has_time()
        })
        .map(|row| NodeToAsk {
            id: NodeId(row.id),
            name: row.name.clone(),
            may_ask_packages: permissions.allows("Sys.Audit", &format!("/nodes/{}", row.name)),
            may_ask_updates: permissions.allows("Sys.Modify", &format!("/nodes/{}", row.name)),
        })
        .collect()
}

fn runs(row: &GuestRow) -> bool {
    row.status == GuestStatus::Running.as_str() && row.stale_since.is_none()
}

fn interval(discovery: &Discovery<'_>) -> Duration {
    Duration::from_secs(u64::try_from(discovery.row.detail_seconds).unwrap_or(0))
}

fn to_ask(discovery: &Discovery<'_>, row: &GuestRow, runs: bool, permissions: &Permissions) -> GuestToAsk {
    let agent_right = match Major::of(discovery.row.release.as_deref().unwrap_or_default()) {
        Major::Eight => "VM.Monitor",
        Major::Nine => "VM.GuestAgent.Audit",
    };
    GuestToAsk {
        id: GuestId(row.id),
        vmid: row.vmid,
        kind: if row.kind == GuestKind::Qemu.as_str() {
            GuestKind::Qemu
        } else {
            GuestKind::Lxc
        },
        node: row.node.clone(),
        runs,
        console_changes: row.cmode_pending.is_some(),
        may_ask_agent: permissions.allows(agent_right, &format!("/vms/{}", row.vmid)),
    }
}
