//! The simulated clusters themselves: pure, deterministic, without I/O. Time is handed in.

mod access;
mod cluster;
mod figures;
mod guest;
mod node;
mod task;
mod timeline;

pub(crate) use access::{Access, AclEntry, Propagate, Token};
pub(crate) use cluster::{Cluster, Event, REPORT_LINGERS};
pub(crate) use figures::Figures;
pub(crate) use guest::{Config, Guest, Run};
pub use guest::{Kind, Os};
pub(crate) use node::{Node, Storage};
pub(crate) use task::{Task, Upid};
pub(crate) use timeline::{Becomes, Step};

/// Milliseconds since 1970.
pub(crate) type Millis = u64;

/// Which Proxmox VE a cluster runs; decides versions, privileges and some fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Release {
    /// Proxmox VE 8.4.17.
    Pve8,
    /// Proxmox VE 9.1.9.
    Pve9,
}

impl Release {
    /// As `GET /version` says it: version, release, repoid.
    pub(crate) fn version(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Release::Pve8 => ("8.4.17", "8.4", "c8c39014680186a7"),
            Release::Pve9 => ("9.1.9", "9.1", "f40095996bcb6bf7"),
        }
    }

    /// The kernel that belongs to it.
    pub(crate) fn kernel(self) -> &'static str {
        match self {
            Release::Pve8 => "6.8.12-18-pve",
            Release::Pve9 => "6.17.9-1-pve",
        }
    }
}
