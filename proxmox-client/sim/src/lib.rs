//! Proxmox VE clusters that exist only on the network: for tests, benches and the demo of Muster.
//!
//! They speak Proxmox VE's API over real TLS, with its permissions, its order of checks, its texts and its quirks, as
//! recorded from Proxmox VE 9.1.9 and 8.4.17. `DIFFERENCES.md` says what is not modelled.
//!
//! ```no_run
//! use proxmox_sim::{Options, Scenario, Sim};
//!
//! let sim = Sim::start(Options { scenario: Scenario::Homelab, ..Options::default() })?;
//! let cluster = &sim.clusters()[0];
//! println!("{} answers to {}={}", cluster.endpoints[0], cluster.token_id, cluster.token_secret);
//! # anyhow::Ok(())
//! ```

mod api;
mod clock;
pub mod ctl;
mod faults;
mod guests;
mod lab;
mod nodes;
mod outcome;
mod qga;
mod scenario;
mod schema;
mod sim;
mod site;
mod terminals;
mod wire;
mod world;

pub use clock::{Clock, SteppedClock};
pub use faults::FaultKind;
pub use guests::check as check_guests;
pub use scenario::{ClusterSpec, Flaw, GuestSpec, PackageSpec, Scenario};
pub use sim::{ClusterHandle, Options, Sim};
pub use site::Timing;
pub use world::{Kind, Mishap, Os, Packages, Release, Shell};
