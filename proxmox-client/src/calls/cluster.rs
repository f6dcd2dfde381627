//! Calls about the cluster as a whole.

use serde::Deserialize;
use serde_json::Value;

use crate::answer::undecodable;
use crate::catalogue::{self, Request};
use crate::{Client, Error, Result, perl};

/// The version of a PVE installation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Version {
    /// Such as `9.1.9`: the version of the package pve-manager.
    pub version: String,
    /// Such as `9.1`.
    pub release: String,
    /// The commit it was built from.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub repoid: Option<String>,
}

impl Version {
    /// The first number of the release, such as 9. Privileges differ between major versions.
    pub fn major(&self) -> Option<u8> {
        self.release.split('.').next()?.parse().ok()
    }
}

/// Members and quorum of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ClusterStatus {
    /// The cluster; nothing on a standalone node.
    pub cluster: Option<ClusterInfo>,
    /// The members; on a standalone node, itself.
    pub nodes: Vec<Member>,
}

/// The cluster itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ClusterInfo {
    /// Its name, which nothing makes unique in the world.
    #[serde(deserialize_with = "perl::sure")]
    pub name: String,
    /// Whether enough members are there; without it, changes fail with "cluster not ready - no quorum?".
    #[serde(default, deserialize_with = "perl::flag")]
    pub quorate: bool,
    /// The number of configured members.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub nodes: Option<u32>,
    /// The version of the cluster's configuration.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub version: Option<u64>,
}

/// A node as the cluster's membership sees it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Member {
    /// Its name.
    #[serde(deserialize_with = "perl::sure")]
    pub name: String,
    /// Whether it takes part at the moment.
    #[serde(default, deserialize_with = "perl::flag")]
    pub online: bool,
    /// Whether it is the one that answered.
    #[serde(default, deserialize_with = "perl::flag")]
    pub local: bool,
    /// Its address inside the cluster, which may be out of our reach; missing when it was never seen.
    #[serde(default)]
    pub ip: Option<String>,
    /// Its number in the cluster; 0 on a standalone node.
    #[serde(default, rename = "nodeid", deserialize_with = "perl::maybe")]
    pub node_id: Option<u32>,
}

/// What `/cluster/resources` shows to this token. Guests without `VM.Audit` are missing without a word.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Resources {
    /// The nodes.
    pub nodes: Vec<NodeState>,
    /// Containers and virtual machines.
    pub guests: Vec<Guest>,
    /// The storages, once per node.
    pub storages: Vec<StorageState>,
}

/// What kind of guest it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GuestKind {
    /// A container.
    Lxc,
    /// A virtual machine.
    Qemu,
}

/// A guest in the list of resources or in its node's list. The values of a node that died stay for up to 5 minutes.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Guest {
    /// Container or virtual machine.
    #[serde(rename = "type")]
    pub kind: GuestKind,
    /// Its number, unique in the cluster.
    #[serde(deserialize_with = "perl::sure")]
    pub vmid: u32,
    /// The node it is on.
    #[serde(deserialize_with = "perl::sure")]
    pub node: String,
    /// Its name; missing when the cluster has no data about it.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub name: Option<String>,
    /// `running`, `stopped`, `unknown`; for virtual machines also `paused`, `suspended`, `prelaunch` and more.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub status: Option<String>,
    /// Why it is locked, such as `backup`.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub lock: Option<String>,
    /// Whether it is a template.
    #[serde(default, deserialize_with = "perl::flag")]
    pub template: bool,
    /// Its tags, joined by semicolons; see [`Guest::tags`].
    #[serde(default, rename = "tags", deserialize_with = "perl::maybe")]
    pub tag_text: Option<String>,
    /// Its pool, when the token may see pools.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub pool: Option<String>,
    /// The state that high availability wants, when it is managed by it.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub hastate: Option<String>,
    /// Seconds since its start; 0 when stopped.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub uptime: Option<u64>,
    /// Load as a fraction of `maxcpu`, 0 to 1.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub cpu: Option<f64>,
    /// The CPUs it may use; a fraction when limited.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub maxcpu: Option<f64>,
    /// Memory in use, in bytes.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub mem: Option<u64>,
    /// Memory it may use, in bytes.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub maxmem: Option<u64>,
    /// Root disk in use, in bytes; 0 for virtual machines.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub disk: Option<u64>,
    /// Size of the root disk, in bytes.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub maxdisk: Option<u64>,
}

impl Guest {
    /// Its tags, one by one.
    pub fn tags(&self) -> impl Iterator<Item = &str> {
        let text = self.tag_text.as_deref().unwrap_or_default();
        text.split([';', ',', ' ']).filter(|tag| !tag.is_empty())
    }
}

/// A node in the list of resources.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct NodeState {
    /// Its name.
    #[serde(deserialize_with = "perl::sure")]
    pub node: String,
    /// `online`, `offline` or `unknown`.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub status: Option<String>,
    /// Seconds since its start.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub uptime: Option<u64>,
    /// Load as a fraction of all CPUs, 0 to 1.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub cpu: Option<f64>,
    /// Its CPUs.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub maxcpu: Option<u32>,
    /// Memory in use, in bytes.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub mem: Option<u64>,
    /// Its memory, in bytes.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub maxmem: Option<u64>,
    /// Root file system in use, in bytes.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub disk: Option<u64>,
    /// Size of its root file system, in bytes.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub maxdisk: Option<u64>,
}

/// A storage as one node sees it, in the list of resources.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct StorageState {
    /// Its name.
    #[serde(deserialize_with = "perl::sure")]
    pub storage: String,
    /// The node that sees it.
    #[serde(deserialize_with = "perl::sure")]
    pub node: String,
    /// Its kind, such as `dir` or `zfspool`.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub plugintype: Option<String>,
    /// `available` or `unknown`.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub status: Option<String>,
    /// What it may hold, joined by commas.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub content: Option<String>,
    /// Whether all nodes see the same one.
    #[serde(default, deserialize_with = "perl::flag")]
    pub shared: bool,
    /// In use, in bytes.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub disk: Option<u64>,
    /// Its size, in bytes.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub maxdisk: Option<u64>,
}

impl Client {
    /// The version of the node that answers. Any valid token may ask: the cheapest way to test one.
    pub async fn version(&self) -> Result<Version> {
        self.fetch(catalogue::VERSION.at(&[])?).await
    }

    /// Members and quorum. Needs `Sys.Audit` on `/`.
    pub async fn cluster_status(&self) -> Result<ClusterStatus> {
        let request = catalogue::CLUSTER_STATUS.at(&[])?;
        let entries = self.fetch_entries(&request).await?;
        let mut status = ClusterStatus::default();
        for entry in entries {
            match kind_of(&entry) {
                "cluster" => status.cluster = Some(read(&request, entry)?),
                "node" => status.nodes.push(read(&request, entry)?),
                _ => {}
            }
        }
        Ok(status)
    }

    /// Whether a guest of that number exists, also one that the token may not see. Any valid token may ask.
    pub async fn guest_exists(&self, vmid: u32) -> Result<bool> {
        let request = catalogue::NEXT_ID.at(&[])?.with("vmid", vmid);
        match self.order(request).await {
            Ok(()) => Ok(false),
            Err(Error::Rejected {
                status: 400, fields, ..
            }) if fields
                .get("vmid")
                .is_some_and(|reason| reason.ends_with("already exists")) =>
            {
                Ok(true)
            }
            Err(error) => Err(error),
        }
    }

    /// Nodes, guests and storages with their current state, filtered by the token's rights. Entries of other types
    /// are left out. PVE refreshes the values about every 10 s.
    pub async fn resources(&self) -> Result<Resources> {
        let request = catalogue::RESOURCES.at(&[])?;
        let entries = self.fetch_entries(&request).await?;
        let mut resources = Resources::default();
        for entry in entries {
            match kind_of(&entry) {
                "node" => resources.nodes.push(read(&request, entry)?),
                "lxc" | "qemu" => resources.guests.push(read(&request, entry)?),
                "storage" => resources.storages.push(read(&request, entry)?),
                other => tracing::trace!(kind = other, "a resource of another type"),
            }
        }
        Ok(resources)
    }
}

fn kind_of(entry: &Value) -> &str {
    entry.get("type").and_then(Value::as_str).unwrap_or_default()
}

fn read<T: serde::de::DeserializeOwned>(request: &Request, entry: Value) -> Result<T> {
    let name = entry
        .get("id")
        .and_then(Value::as_str)
        .unwrap_or("an entry without id")
        .to_owned();
    serde_json::from_value(entry).map_err(|e| undecodable(request.call, &request.path, &format!("{name}: {e}")))
}
