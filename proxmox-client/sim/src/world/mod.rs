//! The simulated clusters themselves: pure, deterministic, without I/O. Time is handed in.

mod access;
mod backup;
mod cluster;
mod console;
mod figures;
mod guest;
mod mishap;
mod node;
mod packages;
mod power;
mod snapshot;
mod task;
mod tickets;
mod timeline;

pub(crate) use access::{Access, AclEntry, Propagate, Token};
pub(crate) use backup::{Archive, Backups};
pub(crate) use cluster::{Cluster, Event, REPORT_LINGERS};
pub(crate) use console::{Console, ConsoleMode, NewConsole};
pub(crate) use figures::Figures;
pub(crate) use guest::{Config, Guest, Run};
pub use guest::{Kind, Os, Shell};
pub use mishap::Mishap;
pub(crate) use mishap::Mishaps;
pub(crate) use node::{Node, Storage};
pub use packages::Packages;
pub(crate) use snapshot::{FileWork, Snapshot, Snapshots};
pub(crate) use task::{Task, Upid};
pub(crate) use tickets::Tickets;
pub(crate) use timeline::{Becomes, Step};

/// Milliseconds since 1970.
pub(crate) type Millis = u64;

/// Which Proxmox VE a cluster runs; decides versions, privileges and some fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Release {
    /// Proxmox VE 8.4.
    Pve8,
    /// Proxmox VE 9.1.
    Pve9,
}

impl Release {
    /// As `GET /version` says it.
    pub(crate) fn number(self) -> &'static str {
        match self {
            Release::Pve8 => "8.4",
            Release::Pve9 => "9.1",
        }
    }

    /// The packages that were recorded of it.
    pub(crate) fn packages(self) -> Packages {
        match self {
            Release::Pve8 => Packages::Older,
            Release::Pve9 => Packages::Newer,
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
