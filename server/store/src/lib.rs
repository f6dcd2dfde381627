//! The only place where SQL stands. One text serves SQLite and PostgreSQL; [`tx::Tx`] knows which of them it talks to.
//!
//! Every aggregate has a file of its own that adds methods to [`tx::Tx`]. No pool leaves this package, and no method
//! decides anything: callers do, inside [`write!`], which commits all of it or nothing.

pub mod agents;
pub mod audit;
pub mod backup;
pub mod clusters;
pub mod commands;
pub mod console_changes;
pub mod discovery_log;
pub mod enrolments;
mod error;
pub mod events;
pub mod fleet_updates;
#[cfg(any(test, feature = "testing"))]
pub mod fresh;
pub mod guest_list;
pub mod guest_locks;
pub mod guests;
pub mod idempotency;
pub mod inspect;
pub mod job_log;
pub mod job_targets;
pub mod jobs;
pub mod nodes;
mod open;
pub mod rollups;
pub mod scans;
pub mod secrets;
pub mod server_lease;
pub mod sessions;
pub mod settings;
pub mod tokens;
mod tx;
pub mod users;

#[cfg(test)]
mod testing;

pub use error::StoreError;
pub use open::{OpenError, Store, without_password};
pub use tx::{ATTEMPTS, GivesWay, Tx};
