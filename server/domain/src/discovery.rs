//! What a listing of PVE means for what is already known: new, changed, moved, gone, back; and which guests deserve a
//! closer look.
//!
//! PVE goes on reporting the last values of a dead node's guests for minutes, as if they ran. So the state of the node
//! decides: as long as it does not answer, its guests keep what was known and are marked stale.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::fleet::{GuestKind, GuestStatus, NodeStatus};
use crate::id::{GuestId, NodeId};
use crate::time::Timestamp;

/// A node as PVE lists it.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedNode {
    /// Its name.
    pub name: String,
    /// Whether it answers.
    pub status: NodeStatus,
    /// Processors, when PVE says.
    pub cpus: Option<i64>,
    /// Memory in bytes, when PVE says.
    pub memory_total: Option<i64>,
}

/// A guest as PVE lists it.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedGuest {
    /// Its number.
    pub vmid: i64,
    /// Container or VM.
    pub kind: GuestKind,
    /// The name of its node.
    pub node: String,
    /// Its name; missing when PVE has no data.
    pub name: Option<String>,
    /// What it does.
    pub status: GuestStatus,
    /// What holds it.
    pub lock: Option<String>,
    /// Whether it is a template.
    pub template: bool,
    /// Tags, separated by semicolons.
    pub tags: String,
    /// Its pool.
    pub pool: Option<String>,
    /// Processors it may use.
    pub cpus: Option<f64>,
    /// Memory it may use, in bytes.
    pub memory_max: Option<i64>,
    /// Size of its first disk in bytes.
    pub disk_max: Option<i64>,
}

/// What is known of a node.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeFacts {
    /// Its name.
    pub name: String,
    /// Whether it answers.
    pub status: NodeStatus,
    /// Since when its values are old.
    pub stale_since: Option<Timestamp>,
    /// Processors.
    pub cpus: Option<i64>,
    /// Memory in bytes.
    pub memory_total: Option<i64>,
}

/// What is known of a guest from listings.
#[derive(Debug, Clone, PartialEq)]
pub struct GuestFacts {
    /// Its number.
    pub vmid: i64,
    /// Container or VM.
    pub kind: GuestKind,
    /// The name of its node.
    pub node: String,
    /// Its name.
    pub name: String,
    /// What it does, as last heard.
    pub status: GuestStatus,
    /// Since when that is old.
    pub stale_since: Option<Timestamp>,
    /// What holds it.
    pub lock: Option<String>,
    /// Whether it is a template.
    pub template: bool,
    /// Tags, separated by semicolons.
    pub tags: String,
    /// Its pool.
    pub pool: Option<String>,
    /// Processors it may use.
    pub cpus: Option<f64>,
    /// Memory it may use, in bytes.
    pub memory_max: Option<i64>,
    /// Size of its first disk in bytes.
    pub disk_max: Option<i64>,
}

/// Something already known, with whether it was gone.
#[derive(Debug, Clone, PartialEq)]
pub struct Known<Id, Facts> {
    /// Its id.
    pub id: Id,
    /// What is known.
    pub facts: Facts,
    /// Whether it was no longer there.
    pub gone: bool,
}

/// What one listing means for one thing.
#[derive(Debug, Clone, PartialEq)]
pub enum Change<Id, Facts> {
    /// It was never seen.
    New(Facts),
    /// It was gone and is there again.
    Back(Id, Facts),
    /// These facts changed.
    Changed(Id, Facts, Vec<Fact>),
    /// It is no longer listed.
    Gone(Id),
}

impl<Id: Copy, Facts> Change<Id, Facts> {
    /// Which row it is about; `None` when there is none yet.
    pub fn of(&self) -> Option<Id> {
        match self {
            Change::New(_) => None,
            Change::Back(id, _) | Change::Changed(id, _, _) | Change::Gone(id) => Some(*id),
        }
    }
}

/// A fact that can change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fact {
    /// Its name.
    Name,
    /// What it does.
    Status,
    /// Where it is: it migrated.
    Node,
    /// What holds it.
    Lock,
    /// Whether it is a template.
    Template,
    /// Its tags.
    Tags,
    /// Its pool.
    Pool,
    /// Its processors.
    Cpus,
    /// Its memory.
    Memory,
    /// Its disk.
    Disk,
    /// Whether its values are old.
    Stale,
}

impl Fact {
    /// The word in the discovery log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Fact::Name => "name",
            Fact::Status => "status",
            Fact::Node => "node",
            Fact::Lock => "lock",
            Fact::Template => "template",
            Fact::Tags => "tags",
            Fact::Pool => "pool",
            Fact::Cpus => "cpus",
            Fact::Memory => "memory",
            Fact::Disk => "disk",
            Fact::Stale => "stale",
        }
    }
}

/// What a listing of nodes means. A node that left its cluster is gone; one of that name that joins again is back.
pub fn nodes(
    listed: &[ListedNode],
    known: &[Known<NodeId, NodeFacts>],
    now: Timestamp,
) -> Vec<Change<NodeId, NodeFacts>> {
    let by_name: BTreeMap<&str, &Known<NodeId, NodeFacts>> =
        known.iter().map(|known| (known.facts.name.as_str(), known)).collect();
    let names: BTreeSet<&str> = listed.iter().map(|node| node.name.as_str()).collect();
    let mut changes: Vec<_> = listed
        .iter()
        .filter_map(|node| {
            let before = by_name.get(node.name.as_str());
            let facts = node_facts(node, before.map(|known| &known.facts), now);
            match before {
                None => Some(Change::New(facts)),
                Some(known) if known.gone => Some(Change::Back(known.id, facts)),
                Some(known) => changed(known.id, node_differences(&known.facts, &facts), facts),
            }
        })
        .collect();
    changes.extend(
        known
            .iter()
            .filter(|known| !known.gone && !names.contains(known.facts.name.as_str()))
            .map(|known| Change::Gone(known.id)),
    );
    changes
}

/// What a listing of guests means. `nodes` is the listing of nodes of the same moment.
///
/// A number can be used again: a guest of another kind under a known number is another guest, and so is one of another
/// name under the number of a guest that is gone.
pub fn guests(
    listed: &[ListedGuest],
    nodes: &[ListedNode],
    known: &[Known<GuestId, GuestFacts>],
    now: Timestamp,
) -> Vec<Change<GuestId, GuestFacts>> {
    let online: BTreeSet<&str> = nodes
        .iter()
        .filter(|node| node.status == NodeStatus::Online)
        .map(|node| node.name.as_str())
        .collect();
    let living: BTreeMap<(i64, GuestKind), &Known<GuestId, GuestFacts>> = known
        .iter()
        .filter(|known| !known.gone)
        .map(|known| (key(&known.facts), known))
        .collect();
    let there: BTreeSet<(i64, GuestKind)> = listed.iter().map(|guest| (guest.vmid, guest.kind)).collect();
    // Those that are gone come first, so that their numbers are free for the ones that follow.
    let mut changes: Vec<_> = living
        .iter()
        .filter(|(key, _)| !there.contains(key))
        .map(|(_, known)| Change::Gone(known.id))
        .collect();
    changes.extend(listed.iter().filter_map(|guest| {
        let answers = online.contains(guest.node.as_str());
        if let Some(known) = living.get(&(guest.vmid, guest.kind)) {
            let facts = guest_facts(guest, answers, Some(&known.facts), now);
            return changed(known.id, guest_differences(&known.facts, &facts), facts);
        }
        match known.iter().find(|known| returns(known, guest)) {
            Some(known) => Some(Change::Back(
                known.id,
                guest_facts(guest, answers, Some(&known.facts), now),
            )),
            None => Some(Change::New(guest_facts(guest, answers, None, now))),
        }
    }));
    changes
}

/// What decides whether a guest's configuration and addresses are read.
#[derive(Debug, Clone, PartialEq)]
pub struct Look<'a> {
    /// What changed in this listing; empty when nothing did.
    pub changed: &'a [Fact],
    /// Whether it ran for longer at the last listing than at this one.
    pub restarted: bool,
    /// Whether it runs, started a short while ago and has no address yet.
    pub awaits_address: bool,
    /// When its details were last read.
    pub last: Option<Timestamp>,
    /// Whether its values are old: then nobody can be asked.
    pub stale: bool,
}

/// How soon a guest's details are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wanted {
    /// Now.
    Now,
    /// When there is time: they have only grown old.
    Sometime,
    /// Not at all.
    No,
}

/// Whether a guest's details are wanted, given how old they may become.
pub fn look(look: &Look<'_>, now: Timestamp, interval: Duration) -> Wanted {
    // A lock or a rise of the disk says nothing about configuration or addresses.
    let telling = |fact: &Fact| !matches!(fact, Fact::Lock | Fact::Disk | Fact::Pool | Fact::Stale);
    let Some(last) = look.last else {
        return if look.stale { Wanted::No } else { Wanted::Now };
    };
    if look.stale {
        Wanted::No
    } else if look.restarted || look.awaits_address || look.changed.iter().any(telling) {
        Wanted::Now
    } else if now.since(last) >= interval {
        Wanted::Sometime
    } else {
        Wanted::No
    }
}

fn key(facts: &GuestFacts) -> (i64, GuestKind) {
    (facts.vmid, facts.kind)
}

/// Whether a listed guest is one that was gone. A guest of which PVE tells no name is taken for the one before.
fn returns(known: &Known<GuestId, GuestFacts>, guest: &ListedGuest) -> bool {
    known.gone
        && key(&known.facts) == (guest.vmid, guest.kind)
        && guest.name.as_ref().is_none_or(|name| *name == known.facts.name)
}

fn changed<Id, Facts>(id: Id, differences: Vec<Fact>, facts: Facts) -> Option<Change<Id, Facts>> {
    (!differences.is_empty()).then_some(Change::Changed(id, facts, differences))
}

fn node_facts(listed: &ListedNode, before: Option<&NodeFacts>, now: Timestamp) -> NodeFacts {
    NodeFacts {
        name: listed.name.clone(),
        status: listed.status,
        stale_since: stale_since(
            listed.status == NodeStatus::Online,
            before.and_then(|b| b.stale_since),
            now,
        ),
        // A node that does not answer loses these values after a while.
        cpus: listed.cpus.or(before.and_then(|before| before.cpus)),
        memory_total: listed.memory_total.or(before.and_then(|before| before.memory_total)),
    }
}

fn guest_facts(listed: &ListedGuest, answers: bool, before: Option<&GuestFacts>, now: Timestamp) -> GuestFacts {
    let was_known = before.is_some_and(|before| before.status != GuestStatus::Unknown);
    let hears = answers && (listed.status != GuestStatus::Unknown || !was_known);
    let stale_since = stale_since(hears, before.and_then(|before| before.stale_since), now);
    if let (false, Some(before)) = (hears, before) {
        // Where it is comes from the cluster's own files, which outlive the node: after a failover the guest has moved.
        return GuestFacts {
            node: listed.node.clone(),
            stale_since,
            ..before.clone()
        };
    }
    GuestFacts {
        vmid: listed.vmid,
        kind: listed.kind,
        node: listed.node.clone(),
        name: listed.name.clone().unwrap_or_else(|| nameless(listed)),
        status: if answers { listed.status } else { GuestStatus::Unknown },
        stale_since,
        lock: listed.lock.clone(),
        template: listed.template,
        tags: listed.tags.clone(),
        pool: listed.pool.clone(),
        cpus: listed.cpus,
        memory_max: listed.memory_max,
        disk_max: listed.disk_max,
    }
}

fn stale_since(hears: bool, before: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
    if hears { None } else { before.or(Some(now)) }
}

/// The name PVE itself makes up for a guest without one.
fn nameless(listed: &ListedGuest) -> String {
    match listed.kind {
        GuestKind::Lxc => format!("CT{}", listed.vmid),
        GuestKind::Qemu => format!("VM {}", listed.vmid),
    }
}

fn node_differences(before: &NodeFacts, after: &NodeFacts) -> Vec<Fact> {
    let differs = [
        (Fact::Status, before.status != after.status),
        (Fact::Cpus, before.cpus != after.cpus),
        (Fact::Memory, before.memory_total != after.memory_total),
        (Fact::Stale, before.stale_since != after.stale_since),
    ];
    those(&differs)
}

fn guest_differences(before: &GuestFacts, after: &GuestFacts) -> Vec<Fact> {
    let differs = [
        (Fact::Name, before.name != after.name),
        (Fact::Status, before.status != after.status),
        (Fact::Node, before.node != after.node),
        (Fact::Lock, before.lock != after.lock),
        (Fact::Template, before.template != after.template),
        (Fact::Tags, before.tags != after.tags),
        (Fact::Pool, before.pool != after.pool),
        (Fact::Cpus, before.cpus != after.cpus),
        (Fact::Memory, before.memory_max != after.memory_max),
        (Fact::Disk, before.disk_max != after.disk_max),
        (Fact::Stale, before.stale_since != after.stale_since),
    ];
    those(&differs)
}

fn those(differs: &[(Fact, bool)]) -> Vec<Fact> {
    differs
        .iter()
        .filter(|(_, differs)| *differs)
        .map(|(fact, _)| *fact)
        .collect()
}

#[cfg(test)]
mod tests;
