//! Use cases, one file per aggregate. Each decides and authorizes, and writes the change, its audit entry, its events and
//! its jobs in one transaction. Calls to PVE or to agents never happen inside one.

pub mod accounts;
pub mod agents;
pub mod audit;
pub mod clusters;
mod connections;
mod consoles;
pub mod context;
pub mod discovery;
pub mod error;
pub mod events;
pub mod fleet;
pub mod inspection;
pub mod installs;
pub mod jobs;
pub mod retention;
pub mod scans;
pub mod seal;
pub mod selection;
pub mod server_lease;
pub mod settings;
pub mod tokens;
mod ways;

use std::sync::Arc;

use muster_domain::ServerId;
use muster_domain::access::Role;
use muster_store::Store;

pub use context::{Caller, Ctx};
pub use error::{Error, FieldError};
pub use seal::Seal;
pub use ways::LOCK_LASTS;

use crate::agents::Agents;
use crate::clock::{Clock, Ids};
use crate::config::Config;
use crate::jobs::Jobs;
use crate::lifecycle::Lifecycle;
use crate::pve::Pve;

/// Everything a use case needs. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The database.
    pub store: Store,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// New ids and random bytes.
    pub ids: Arc<dyn Ids>,
    /// The keys that secrets are sealed with.
    pub seal: Seal,
    /// Hashing passwords, few at a time.
    pub passwords: accounts::Passwords,
    /// What was decided before the start.
    pub config: Arc<Config>,
    /// Background tasks, and whether the process is about to end.
    pub lifecycle: Lifecycle,
    /// Whether this process is the active one.
    pub lease: server_lease::ServerLease,
    /// What is remembered of clusters between two questions.
    pub pve: Arc<Pve>,
    /// What is remembered of running jobs.
    pub jobs: Arc<Jobs>,
    /// Who is connected, and what is waited for.
    pub agents: Agents,
}

impl App {
    /// With nothing remembered and no task running yet.
    pub fn new(store: Store, clock: Arc<dyn Clock>, ids: Arc<dyn Ids>, seal: Seal, config: Config) -> App {
        App {
            store,
            lease: server_lease::ServerLease::new(ServerId(ids.next())),
            agents: Agents::new(config.agent_dir.clone()),
            ids,
            seal,
            passwords: accounts::Passwords::default(),
            config: Arc::new(config),
            lifecycle: Lifecycle::new(clock.clone()),
            clock,
            pve: Arc::default(),
            jobs: Arc::default(),
        }
    }
}

/// The role a row names.
fn role(name: &str) -> Result<Role, Error> {
    Role::parse(name).ok_or_else(|| Error::Internal(format!("a row names the role \"{name}\", which there is not")))
}
