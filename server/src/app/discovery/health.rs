//! Gathers what the health of a cluster is judged by.

use std::collections::BTreeMap;
use std::time::Duration;

use muster_domain::Timestamp;
use muster_domain::fleet::{Backup, NodeStatus};
use muster_domain::health::{self, Clock, Facts, Lacking, Reason};
use muster_domain::rights::{self, Major};
use muster_store::guests::GuestRow;
use muster_store::nodes::NodeRow;

use super::Discovery;
use super::details::Learned;
use super::listing::Written;
use crate::pve::{ClockReading, Seen};

/// How long a reading of a clock counts. Nodes that are asked seldom are read again within that time.
const CLOCK_COUNTS_FOR: Duration = Duration::from_secs(7200);

/// What is wrong with the cluster now.
pub(super) fn of(discovery: &Discovery<'_>, seen: &Seen, written: &Written, learned: &Learned) -> Vec<Reason> {
    let (row, now) = (&discovery.row, discovery.started);
    let told = learned.status.as_ref().map(|status| status.cluster.as_ref());
    let facts = Facts {
        quorate: told.map_or(row.quorate, |cluster| cluster.map(|cluster| cluster.quorate)),
        nodes: written.nodes.iter().map(node).collect(),
        storages: seen.storages.clone(),
        clocks: clocks(discovery, &written.nodes),
        hidden: written.unlisted.hidden.iter().copied().collect(),
        not_backed_up: not_backed_up(&written.guests, learned),
        lacking: lacking(discovery, learned),
    };
    health::reasons(&facts, &row.health, now)
}

fn node(row: &NodeRow) -> (String, NodeStatus) {
    (
        row.name.clone(),
        NodeStatus::parse(&row.status).unwrap_or(NodeStatus::Unknown),
    )
}

/// Of a node with several addresses the worst counts.
fn clocks(discovery: &Discovery<'_>, nodes: &[NodeRow]) -> Vec<Clock> {
    let now = discovery.app.clock.now();
    let readings = discovery.connection.client().clocks();
    let mut worst: BTreeMap<String, i64> = BTreeMap::new();
    for reading in readings.iter().filter(|reading| reading.age < CLOCK_COUNTS_FOR) {
        let ahead = ahead(reading, now);
        let known = worst.entry(name(reading, nodes)).or_insert(ahead);
        if ahead.abs() > known.abs() {
            *known = ahead;
        }
    }
    worst.into_iter().map(|(name, ahead)| Clock { name, ahead }).collect()
}

fn ahead(reading: &ClockReading, now: Timestamp) -> i64 {
    let received = now - reading.age;
    health::ahead(reading.date, received - reading.round_trip, received)
}

fn name(reading: &ClockReading, nodes: &[NodeRow]) -> String {
    let host = reading.endpoint.host();
    let owner = nodes
        .iter()
        .find(|row| row.address.as_deref() == Some(host.trim_matches(['[', ']'])));
    owner.map_or_else(|| reading.endpoint.to_string(), |row| row.name.clone())
}

fn not_backed_up(guests: &[(GuestRow, Vec<muster_domain::discovery::Fact>)], learned: &Learned) -> u32 {
    let told = learned.overview.as_ref().map(|overview| &overview.not_backed_up);
    let is_left_out = |row: &GuestRow| match told {
        Some(told) => told.as_ref().is_some_and(|left_out| left_out.contains(&row.vmid)),
        None => row.backup == Backup::None.as_str(),
    };
    let count = guests.iter().filter(|(row, _)| is_left_out(row)).count();
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// What the version in use would do with rights that the token lacks. An upgrade of PVE can take rights away.
fn lacking(discovery: &Discovery<'_>, learned: &Learned) -> Vec<Lacking> {
    let overview = learned.overview.as_ref();
    let known = discovery.row.permissions.as_ref().map(|known| &known.0);
    let Some(permissions) = overview.map(|overview| &overview.permissions).or(known) else {
        return Vec::new();
    };
    let release = overview.map(|overview| overview.version.release.as_str());
    let release = release.or(discovery.row.release.as_deref()).unwrap_or_default();
    let lines = rights::report(permissions, Major::of(release)).into_iter();
    lines
        .filter(|line| line.feature.used && !line.missing.is_empty())
        .map(|line| {
            let each = line
                .missing
                .iter()
                .map(|missing| format!("{} on {}", missing.right, missing.path));
            Lacking {
                feature: line.feature.name,
                label: line.feature.label,
                rights: each.collect::<Vec<_>>().join(" and "),
            }
        })
        .collect()
}
