//! A look at a cluster before it is added, and whenever somebody wants to know whether it still works.

use std::collections::{BTreeMap, BTreeSet};

use muster_domain::fleet::{GuestKind, NodeStatus};
use muster_domain::rights::Permissions;
use proxmox_client::{Client, ClusterStatus, Fingerprint, Version};

use super::nodes::fingerprints;
use super::{Failure, list};

/// What the look showed.
#[derive(Debug, Clone, PartialEq)]
pub struct Inspection {
    /// Version of the node that answered.
    pub version: Version,
    /// The token's rights.
    pub permissions: Permissions,
    /// The nodes by name, with whether they answer.
    pub nodes: BTreeMap<String, NodeStatus>,
    /// The certificate of each node; none of one that was never up.
    pub fingerprints: BTreeMap<String, Option<Fingerprint>>,
    /// The guests that the token sees: number and name.
    pub guests: BTreeSet<(i64, Option<String>)>,
    /// Containers among them.
    pub lxcs: usize,
    /// VMs among them.
    pub vms: usize,
    /// Members and quorum; `None` when the token may not ask.
    pub status: Option<ClusterStatus>,
}

/// Looks at the cluster: five calls at most.
pub async fn inspect(client: &Client) -> Result<Inspection, Failure> {
    let version = client.version().await?;
    let permissions = Permissions(client.permissions().await?.by_path);
    let fingerprints = fingerprints(client).await?;
    let seen = list(client).await?;
    let status = match permissions.allows("Sys.Audit", "/") {
        true => Some(client.cluster_status().await?),
        false => None,
    };
    let containers = seen.guests.iter().filter(|guest| guest.kind == GuestKind::Lxc).count();
    Ok(Inspection {
        version,
        permissions,
        fingerprints,
        lxcs: containers,
        vms: seen.guests.len() - containers,
        guests: seen.guests.into_iter().map(|guest| (guest.vmid, guest.name)).collect(),
        nodes: seen.nodes.into_iter().map(|node| (node.name, node.status)).collect(),
        status,
    })
}
