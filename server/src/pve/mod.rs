//! What we ask of Proxmox VE, and what is remembered of each cluster between two questions.
//!
//! Nothing here writes to the database. Everything in memory may be lost at any time: it is asked again.

mod budget;
mod connection;
mod details;
mod directness;
mod failure;
mod inspection;
mod listing;
mod memory;
mod nodes;

pub use connection::{Connection, Credential, Settings, Tls, node_endpoint};
pub use details::{GuestDetails, GuestToAsk, System, ask_guests};
pub use directness::find_direct_ways;
pub use failure::Failure;
pub use inspection::{Inspection, inspect};
pub use listing::{Seen, list};
pub use memory::{Basis, Memory, NodeLoad, Pve};
pub use nodes::{NodeDetails, NodeToAsk, NodeUpdates, Overview, ask_nodes, overview};

pub use proxmox_client::{
    ApiToken, ClockReading, ClusterStatus, Endpoint, Error as CallError, Fingerprint, Login, PresentedCertificate,
    probe,
};
