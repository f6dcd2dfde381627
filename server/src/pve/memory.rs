//! What is remembered of clusters between two questions: connections, loads, and when what was asked.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use muster_domain::discovery::{ListedGuest, ListedNode};
use muster_domain::{ClusterId, Timestamp};
use proxmox_client::{Endpoint, Fingerprint};
use tokio::sync::{Mutex as Turn, OwnedMutexGuard};

use super::budget::Budget;
use super::{Connection, Failure, Seen};
use crate::lifecycle::Kick;

/// The memory of all clusters.
#[derive(Debug, Default)]
pub struct Pve {
    clusters: Mutex<HashMap<ClusterId, Arc<Memory>>>,
    kick: Kick,
}

/// The memory of one cluster.
#[derive(Debug, Default)]
pub struct Memory {
    turn: Arc<Turn<()>>,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    connection: Option<(Basis, Arc<Connection>)>,
    by_login: Option<(Basis, Arc<Connection>)>,
    uptimes: HashMap<i64, u64>,
    loads: HashMap<String, NodeLoad>,
    listed_at: Option<Timestamp>,
    tried_at: Option<Timestamp>,
    runs: bool,
    failures: u32,
    status_at: Option<Timestamp>,
    overview_at: Option<Timestamp>,
    budget: Budget,
    direct: BTreeMap<String, (Endpoint, Fingerprint)>,
    known: Option<(Vec<ListedNode>, Vec<ListedGuest>)>,
}

/// What a connection was made of. Another basis needs another connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Basis {
    /// Addresses as stored.
    pub endpoints: Vec<String>,
    /// As whom: the token's id, or the user's.
    pub identity: String,
    /// The sealed secret: it differs whenever the secret does.
    pub sealed: Vec<u8>,
    /// Mode of TLS, accepted certificate and authority.
    pub tls: (String, Option<String>, Option<String>),
}

/// The load of a node at the last listing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NodeLoad {
    /// Share of all processors in use, 0 to 1.
    pub cpu: Option<f64>,
    /// Memory in use, in bytes.
    pub memory_used: Option<u64>,
    /// Seconds since its start.
    pub uptime: Option<u64>,
}

impl Pve {
    /// What is remembered of a cluster.
    pub fn of(&self, cluster: ClusterId) -> Arc<Memory> {
        lock(&self.clusters).entry(cluster).or_default().clone()
    }

    /// Forgets a cluster.
    pub fn forget(&self, cluster: ClusterId) {
        lock(&self.clusters).remove(&cluster);
    }

    /// Makes the schedule look at once which clusters are due.
    pub fn kick(&self) -> Kick {
        self.kick.clone()
    }

    /// Makes a cluster due at once, whatever has failed before.
    pub fn discover_soon(&self, cluster: ClusterId) {
        let memory = self.of(cluster);
        let mut held = lock(&memory.held);
        held.tried_at = None;
        held.failures = 0;
        drop(held);
        self.kick.now();
    }
}

impl Memory {
    /// Waits until no other discovery of the cluster runs.
    pub async fn turn(&self) -> OwnedMutexGuard<()> {
        self.turn.clone().lock_owned().await
    }

    /// The connection with the token made of `basis`; `open` makes it when there is none yet.
    pub fn connection(
        &self,
        basis: Basis,
        open: impl FnOnce() -> Result<Connection, Failure>,
    ) -> Result<Arc<Connection>, Failure> {
        let mut held = lock(&self.held);
        if let Some((_, connection)) = held.connection.as_ref().filter(|(known, _)| *known == basis) {
            return Ok(connection.clone());
        }
        let connection = Arc::new(open()?);
        // What was learned over another connection is learned again over this one.
        *held = Held {
            connection: Some((basis, connection.clone())),
            uptimes: std::mem::take(&mut held.uptimes),
            loads: std::mem::take(&mut held.loads),
            listed_at: held.listed_at,
            tried_at: held.tried_at,
            runs: held.runs,
            failures: held.failures,
            ..Held::default()
        };
        Ok(connection)
    }

    /// The same with a user's password. Nothing is learned over it.
    pub fn connection_by_login(
        &self,
        basis: Basis,
        open: impl FnOnce() -> Result<Connection, Failure>,
    ) -> Result<Arc<Connection>, Failure> {
        let mut held = lock(&self.held);
        if let Some((_, connection)) = held.by_login.as_ref().filter(|(known, _)| *known == basis) {
            return Ok(connection.clone());
        }
        let connection = Arc::new(open()?);
        held.by_login = Some((basis, connection.clone()));
        Ok(connection)
    }

    /// Remembers what a listing says of loads and uptimes. Returns the numbers of guests that ran for longer before.
    pub fn note_listing(&self, seen: &Seen, at: Timestamp) -> Vec<i64> {
        let mut held = lock(&self.held);
        let restarted = seen
            .uptimes
            .iter()
            .filter(|(vmid, uptime)| held.uptimes.get(vmid).is_some_and(|before| before > *uptime))
            .map(|(vmid, _)| *vmid)
            .collect();
        held.uptimes.clone_from(&seen.uptimes);
        held.loads.clone_from(&seen.loads);
        held.listed_at = Some(at);
        held.failures = 0;
        restarted
    }

    /// Whether the last list that left nothing to do said the same.
    pub fn knows(&self, seen: &Seen) -> bool {
        let held = lock(&self.held);
        held.known
            .as_ref()
            .is_some_and(|(nodes, guests)| *nodes == seen.nodes && *guests == seen.guests)
    }

    /// Remembers that a list is written down and leaves nothing to do.
    pub fn note_known(&self, seen: &Seen) {
        lock(&self.held).known = Some((seen.nodes.clone(), seen.guests.clone()));
    }

    /// Counts a listing that failed; returns how many did in a row.
    pub fn note_failure(&self) -> u32 {
        let mut held = lock(&self.held);
        held.failures += 1;
        held.known = None;
        held.failures
    }

    /// How many listings in a row have failed.
    pub fn failures(&self) -> u32 {
        lock(&self.held).failures
    }

    /// Whether the schedule may try again: it tries nothing now, and last did at least `pause` ago.
    pub fn is_due(&self, pause: Duration, now: Timestamp) -> bool {
        let held = lock(&self.held);
        !held.runs && held.tried_at.is_none_or(|last| now.since(last) >= pause)
    }

    /// Remembers that the schedule begins a try.
    pub fn note_try(&self, at: Timestamp) {
        let mut held = lock(&self.held);
        held.tried_at = Some(at);
        held.runs = true;
    }

    /// Remembers that the schedule's try has ended.
    pub fn note_end(&self) {
        lock(&self.held).runs = false;
    }

    /// When the cluster was last listed.
    pub fn listed_at(&self) -> Option<Timestamp> {
        lock(&self.held).listed_at
    }

    /// The load of a node.
    pub fn load(&self, node: &str) -> Option<NodeLoad> {
        lock(&self.held).loads.get(node).copied()
    }

    /// When members and quorum were last asked.
    pub fn status_at(&self) -> Option<Timestamp> {
        lock(&self.held).status_at
    }

    /// Remembers that members and quorum were asked.
    pub fn note_status(&self, at: Timestamp) {
        lock(&self.held).status_at = Some(at);
    }

    /// When rights, version and backups were last asked.
    pub fn overview_at(&self) -> Option<Timestamp> {
        lock(&self.held).overview_at
    }

    /// Remembers that rights, version and backups were asked.
    pub fn note_overview(&self, at: Timestamp) {
        lock(&self.held).overview_at = Some(at);
    }

    /// Takes calls for something that has only grown old.
    pub fn take_calls(&self, calls: usize, now: Timestamp) -> bool {
        lock(&self.held).budget.take(calls, now)
    }

    /// Counts calls for something that has changed.
    pub fn spend_calls(&self, calls: usize, now: Timestamp) {
        lock(&self.held).budget.spend(calls, now);
    }

    /// The nodes that are asked directly: those whose address was tried.
    pub fn direct(&self) -> BTreeMap<String, (Endpoint, Fingerprint)> {
        lock(&self.held).direct.clone()
    }

    /// Remembers the nodes that are asked directly.
    pub fn note_direct(&self, direct: BTreeMap<String, (Endpoint, Fingerprint)>) {
        lock(&self.held).direct = direct;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
