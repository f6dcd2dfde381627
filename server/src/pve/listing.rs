//! The one call that lists everything: `GET /cluster/resources`.

use std::collections::{BTreeMap, HashMap};

use muster_domain::discovery::{ListedGuest, ListedNode};
use muster_domain::fleet::{GuestKind, GuestStatus, NodeStatus};
use muster_domain::health::Storage;
use proxmox_client::{Client, Guest, NodeState, StorageState};

use super::{Failure, NodeLoad};

/// What the list said.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// The nodes by name.
    pub nodes: Vec<ListedNode>,
    /// The guests by number.
    pub guests: Vec<ListedGuest>,
    /// Seconds since the start of each guest that runs, by number.
    pub uptimes: HashMap<i64, u64>,
    /// Loads of the nodes, by name.
    pub loads: HashMap<String, NodeLoad>,
    /// The storages that can be judged, by name.
    pub storages: Vec<Storage>,
}

/// Asks for the list. Guests that the token may not see are missing in it without a word.
pub async fn list(client: &Client) -> Result<Seen, Failure> {
    let resources = client.resources().await?;
    let loads = resources
        .nodes
        .iter()
        .map(|node| (node.node.clone(), load(node)))
        .collect();
    let uptimes = resources
        .guests
        .iter()
        .filter_map(|guest| Some((i64::from(guest.vmid), guest.uptime.filter(|uptime| *uptime > 0)?)))
        .collect();
    let mut nodes = with_all_hosts(resources.nodes.iter().map(node).collect(), &resources.guests);
    let mut guests: Vec<ListedGuest> = resources.guests.iter().map(guest).collect();
    // PVE lists in an order that differs from answer to answer.
    nodes.sort_by(|one, other| one.name.cmp(&other.name));
    guests.sort_by_key(|guest| guest.vmid);
    Ok(Seen {
        nodes,
        guests,
        uptimes,
        loads,
        storages: storages(&resources.storages),
    })
}

/// PVE lists a guest's node even when it lists no such node (right after it left): then nothing is known of that node.
fn with_all_hosts(mut nodes: Vec<ListedNode>, guests: &[Guest]) -> Vec<ListedNode> {
    for guest in guests {
        if !nodes.iter().any(|node| node.name == guest.node) {
            nodes.push(ListedNode {
                name: guest.node.clone(),
                status: NodeStatus::Unknown,
                cpus: None,
                memory_total: None,
            });
        }
    }
    nodes
}

/// One entry for a storage that all nodes share, one for each node of any other.
fn storages(listed: &[StorageState]) -> Vec<Storage> {
    let known = listed
        .iter()
        .filter(|storage| storage.status.as_deref() == Some("available"));
    let mut storages: BTreeMap<String, Storage> = BTreeMap::new();
    for listed in known {
        let name = match listed.shared {
            true => listed.storage.clone(),
            false => format!("{} on {}", listed.storage, listed.node),
        };
        if let (Some(used), Some(size)) = (listed.disk, listed.maxdisk.filter(|size| *size > 0)) {
            storages.insert(name.clone(), Storage { name, used, size });
        }
    }
    storages.into_values().collect()
}

fn node(listed: &NodeState) -> ListedNode {
    ListedNode {
        name: listed.node.clone(),
        status: listed
            .status
            .as_deref()
            .and_then(NodeStatus::parse)
            .unwrap_or(NodeStatus::Unknown),
        cpus: listed.maxcpu.map(i64::from),
        memory_total: listed.maxmem.and_then(|bytes| i64::try_from(bytes).ok()),
    }
}

fn load(listed: &NodeState) -> NodeLoad {
    NodeLoad {
        cpu: listed.cpu,
        memory_used: listed.mem,
        uptime: listed.uptime,
    }
}

fn guest(listed: &Guest) -> ListedGuest {
    ListedGuest {
        vmid: i64::from(listed.vmid),
        kind: match listed.kind {
            proxmox_client::GuestKind::Lxc => GuestKind::Lxc,
            proxmox_client::GuestKind::Qemu => GuestKind::Qemu,
        },
        node: listed.node.clone(),
        name: listed.name.clone(),
        status: status(listed.status.as_deref()),
        lock: listed.lock.clone(),
        template: listed.template,
        tags: listed.tags().collect::<Vec<_>>().join(";"),
        pool: listed.pool.clone(),
        cpus: listed.maxcpu,
        memory_max: listed.maxmem.and_then(|bytes| i64::try_from(bytes).ok()),
        disk_max: listed.maxdisk.and_then(|bytes| i64::try_from(bytes).ok()),
    }
}

/// VMs know more words (`paused`, `suspended`, `prelaunch`, `io-error`, …): in all of them nothing runs inside.
fn status(word: Option<&str>) -> GuestStatus {
    match word {
        Some("running") => GuestStatus::Running,
        Some("stopped") => GuestStatus::Stopped,
        Some("unknown") | None => GuestStatus::Unknown,
        Some(_) => GuestStatus::Paused,
    }
}
