//! Calls about nodes.

use serde::Deserialize;

use crate::{Client, Result, Version, catalogue, perl};

/// A node with its certificate.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Node {
    /// Its name.
    #[serde(deserialize_with = "perl::sure")]
    pub node: String,
    /// `online`, `offline` or `unknown` (a member without data yet).
    #[serde(default, deserialize_with = "perl::maybe")]
    pub status: Option<String>,
    /// The SHA-256 fingerprint of the certificate of its API, custom ones included; what to pin.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub ssl_fingerprint: Option<String>,
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
}

/// Hardware, kernel and load of a node.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct NodeStatus {
    /// Such as `pve-manager/9.1.9/ee7bad0a3f00aa11`.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub pveversion: Option<String>,
    /// The running kernel with its build, in one line.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub kversion: Option<String>,
    /// Seconds since its start.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub uptime: Option<u64>,
    /// Load as a fraction of all CPUs, 0 to 1.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub cpu: Option<f64>,
    /// The processors.
    #[serde(default)]
    pub cpuinfo: CpuInfo,
    /// Main memory, in bytes.
    #[serde(default)]
    pub memory: Usage,
    /// Swap space, in bytes.
    #[serde(default)]
    pub swap: Usage,
    /// The root file system, in bytes.
    #[serde(default)]
    pub rootfs: Usage,
}

/// The processors of a node.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[non_exhaustive]
pub struct CpuInfo {
    /// The model's name.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub model: Option<String>,
    /// Logical CPUs.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub cpus: Option<u32>,
    /// Cores.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub cores: Option<u32>,
    /// Sockets.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub sockets: Option<u32>,
}

/// How much of something is in use, in bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[non_exhaustive]
pub struct Usage {
    /// All of it.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub total: Option<u64>,
    /// In use.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub used: Option<u64>,
    /// Not in use.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub free: Option<u64>,
}

impl Client {
    /// The nodes with the fingerprints of their certificates. Any valid token may ask; the values need `Sys.Audit`.
    pub async fn nodes(&self) -> Result<Vec<Node>> {
        self.fetch_or_default(catalogue::NODES.at(&[])?).await
    }

    /// The version of one node; nodes of a cluster may differ while it is upgraded.
    pub async fn node_version(&self, node: &str) -> Result<Version> {
        self.fetch(catalogue::NODE_VERSION.at(&[node])?).await
    }

    /// Hardware, kernel and load of a node. Needs `Sys.Audit` on `/nodes/{node}`.
    pub async fn node_status(&self, node: &str) -> Result<NodeStatus> {
        self.fetch(catalogue::NODE_STATUS.at(&[node])?).await
    }
}
