//! Nodes and storages.

use super::{Figures, Millis, Packages};

/// A host of a cluster.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) name: String,
    /// Where it listens; also what `/cluster/status` calls its address.
    pub(crate) ip: String,
    /// SHA-256 of its certificate, `AA:BB:…`.
    pub(crate) fingerprint: String,
    pub(crate) online: bool,
    pub(crate) booted_at: Millis,
    /// When its pvestatd last reported.
    pub(crate) published_at: Option<Millis>,
    pub(crate) cpus: u64,
    /// Bytes.
    pub(crate) memory: u64,
    /// Bytes of its root file system.
    pub(crate) disk: u64,
    /// Which of Proxmox VE's packages it has.
    pub(crate) packages: Packages,
    /// Packages of the host that could be updated: name, installed, available.
    pub(crate) updates: Vec<(String, String, String)>,
    pub(crate) figures: Figures,
}

impl Storage {
    /// Whether it takes that kind of content.
    pub(crate) fn has(&self, content: &str) -> bool {
        self.content.split(',').any(|one| one == content)
    }
}

/// A storage; every node has one of that name.
#[derive(Debug, Clone)]
pub(crate) struct Storage {
    pub(crate) name: String,
    /// `dir`, `lvmthin`, `nfs` …
    pub(crate) plugin: &'static str,
    pub(crate) content: &'static str,
    pub(crate) path: Option<&'static str>,
    pub(crate) shared: bool,
    /// Bytes.
    pub(crate) size: u64,
    /// Share of it in use, in percent.
    pub(crate) percent: u64,
}

impl Storage {
    /// Bytes in use.
    pub(crate) fn used(&self) -> u64 {
        self.size / 100 * self.percent
    }
}
