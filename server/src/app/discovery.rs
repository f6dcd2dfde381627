//! Discovery: reads a cluster and writes down what is new, changed or gone. The same for a request and for the schedule.
//!
//! In two steps, so that new guests show at once: first the list (one call), then the details of what deserves a look.

mod ask;
mod certificates;
mod details;
mod health;
mod hidden;
mod listing;
mod schedule;
mod trouble;

use std::time::Duration;

use muster_domain::discovery::Fact;
use muster_domain::{ClusterId, DiscoveryId, Timestamp};
use muster_store::Tx;
use muster_store::clusters::ClusterRow;
use muster_store::discovery_log::DiscoveryRow;
use serde::Serialize;

use super::{App, Error};
use crate::pve::{Connection, Memory, Seen, find_direct_ways, list};

pub use schedule::start;

/// How often members and quorum are asked.
const STATUS_EVERY: Duration = Duration::from_secs(60);

/// Why a discovery runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// Somebody asked: everything is read.
    Request,
    /// It is time again: what changed is read.
    Schedule,
    /// The cluster was just added: everything is read.
    Added,
}

/// What a discovery found.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Summary {
    /// Nodes in the list.
    pub nodes_found: usize,
    /// Guests in the list.
    pub guests_found: usize,
    /// What was seen for the first time, or again.
    pub appeared: Vec<Found>,
    /// What changed.
    pub changed: Vec<Found>,
    /// What is no longer there.
    pub gone: Vec<Found>,
    /// What could not be read; the rest was.
    pub errors: Vec<Trouble>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

/// A node or guest that a discovery tells of.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Found {
    /// `node`, `lxc` or `qemu`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its number; guests only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vmid: Option<i64>,
    /// What changed, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<&'static str>,
}

/// Something that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trouble {
    /// The node; none for the cluster as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Stable code of docs/errors.md.
    pub code: &'static str,
    /// What happened, and what to do.
    pub detail: String,
}

/// Discovers a cluster. A second call for the same cluster waits for the first to end. What can be read is kept even when
/// something else cannot; `Err(Upstream)` means that the list itself could not be read, which is also written down.
pub async fn run(app: &App, cluster: ClusterId, trigger: Trigger) -> Result<Summary, Error> {
    let memory = app.pve.of(cluster);
    let _turn = memory.turn().await;
    let started = app.clock.now();
    let row = readable(app, cluster).await?;
    let read = async {
        let connection = app.connect(&row).await?;
        let seen = list(connection.client()).await?;
        Ok((connection, seen))
    };
    let (connection, seen) = match read.await {
        Ok(read) => read,
        Err(Error::Upstream { code, detail } | Error::Unavailable { code, detail }) => {
            let trouble = Trouble {
                node: None,
                code,
                detail,
            };
            return Err(trouble::note(app, cluster, trigger, started, trouble).await?);
        }
        Err(error) => return Err(error),
    };
    Discovery {
        app,
        memory: &memory,
        connection: &connection,
        row,
        trigger,
        started,
    }
    .go_on(&seen)
    .await
}

/// One discovery whose list could be read.
struct Discovery<'a> {
    app: &'a App,
    memory: &'a Memory,
    connection: &'a Connection,
    row: ClusterRow,
    trigger: Trigger,
    started: Timestamp,
}

impl Discovery<'_> {
    async fn go_on(self, seen: &Seen) -> Result<Summary, Error> {
        let restarted = self.memory.note_listing(seen, self.started);
        if restarted.is_empty() && self.says_nothing_new(seen) {
            return Ok(listing::counted(seen));
        }
        let mut written = listing::write(&self, seen).await?;
        if seen.guests.is_empty() && !written.unlisted.hidden.is_empty() {
            return Err(self.blind(&written).await?);
        }
        let mut summary = std::mem::take(&mut written.summary);

        let (status, overview) = self.ask_cluster(&mut summary).await;
        let permissions = overview
            .as_ref()
            .map(|overview| overview.permissions.clone())
            .or_else(|| self.row.permissions.as_ref().map(|known| known.0.clone()))
            .unwrap_or_default();
        let guests = ask::guests(&self, &written.guests, &permissions, seen, &restarted);
        let nodes = ask::nodes(&self, &written.nodes, &permissions);
        let client = self.connection.client();
        let (guests, guest_failures) = crate::pve::ask_guests(client, guests).await;
        let (nodes, node_failures) = crate::pve::ask_nodes(client, nodes).await;
        trouble::collect(&mut summary.errors, guest_failures.into_iter().chain(node_failures));

        let mut learned = details::Learned {
            status,
            overview,
            guests,
            nodes,
            health: Vec::new(),
        };
        learned.health = health::of(&self, seen, &written, &learned);
        if let (Some(status), true) = (&learned.status, self.row.tls_mode != "system") {
            let told = certificates::merged(&self.row, learned.overview.as_ref());
            find_direct_ways(self.connection, self.memory, status, &told).await;
        }
        details::write(&self, learned, &mut summary).await?;
        let awaits = written.guests.iter().any(|(guest, _)| ask::awaits_address(guest, seen));
        if !awaits && written.unlisted.open.is_empty() {
            self.memory.note_known(seen);
        }
        Ok(summary)
    }

    /// Writes down that the token sees no guest any more.
    async fn blind(&self, written: &listing::Written) -> Result<Error, Error> {
        let hidden: Vec<i64> = written.unlisted.hidden.iter().copied().collect();
        let trouble = Trouble {
            node: None,
            code: "missing_right",
            detail: muster_domain::health::hidden_words(&hidden),
        };
        trouble::note(self.app, self.cluster(), self.trigger, self.started, trouble).await
    }

    /// Whether a list can be dropped unread: it is as the last one, and nothing else is due. Most are, and comparing them
    /// in memory costs a hundredth of reading the database.
    fn says_nothing_new(&self, seen: &Seen) -> bool {
        self.row.error_code.is_none() && !self.is_due(self.memory.status_at(), STATUS_EVERY) && self.memory.knows(seen)
    }

    fn cluster(&self) -> ClusterId {
        ClusterId(self.row.id)
    }

    /// Whether everything is read, however young it is.
    fn reads_everything(&self) -> bool {
        self.trigger != Trigger::Schedule
    }

    fn is_due(&self, last: Option<Timestamp>, every: Duration) -> bool {
        self.reads_everything() || last.is_none_or(|last| self.started.since(last) >= every)
    }

    /// Whether details that only have grown old may take calls: not while rights and certificates wait for theirs.
    fn has_time_for_the_old(&self) -> bool {
        !self.is_due(self.memory.overview_at(), details::OVERVIEW_EVERY)
    }

    fn took_ms(&self) -> u64 {
        u64::try_from(self.app.clock.now().since(self.started).as_millis()).unwrap_or(u64::MAX)
    }

    /// Whether this discovery stands in the log: when it found something, or somebody waits for it.
    fn is_logged(&self, summary: &Summary) -> bool {
        self.reads_everything()
            || !(summary.appeared.is_empty() && summary.changed.is_empty() && summary.gone.is_empty())
    }
}

impl Trigger {
    /// The word in the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Trigger::Request => "request",
            Trigger::Schedule => "schedule",
            Trigger::Added => "added",
        }
    }
}

async fn readable(app: &App, cluster: ClusterId) -> Result<ClusterRow, Error> {
    let mut tx = app.store.read().await?;
    let row = tx.cluster(cluster).await?.ok_or_else(|| Error::NotFound {
        kind: "cluster",
        id: cluster.to_string(),
    })?;
    if row.paused {
        return Err(Error::Conflict {
            code: "cluster_paused",
            detail: format!("{} is paused: resume it first", row.name),
        });
    }
    Ok(row)
}

/// Adds a row to the log and tells whoever listens.
async fn log(
    app: &App,
    tx: &mut Tx,
    cluster: ClusterId,
    trigger: Trigger,
    started: Timestamp,
    summary: &Summary,
) -> Result<(), Error> {
    let id = DiscoveryId(app.ids.next());
    let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    tx.log_discovery(&DiscoveryRow {
        id: id.0,
        cluster_id: cluster.0,
        started_at: started.as_micros(),
        duration_ms: i64::try_from(summary.duration_ms).unwrap_or(i64::MAX),
        started_by: trigger.as_str().to_owned(),
        nodes_found: count(summary.nodes_found),
        guests_found: count(summary.guests_found),
        appeared: json(&summary.appeared).into(),
        changed: json(&summary.changed).into(),
        gone: json(&summary.gone).into(),
        errors: json(&summary.errors).into(),
    })
    .await?;
    let facts = serde_json::json!({
        "cluster": cluster, "new": summary.appeared.len(), "changed": summary.changed.len(),
        "gone": summary.gone.len(), "errors": summary.errors.len(),
    });
    tx.publish(app.clock.now(), "discovery.finished", Some(id.0), facts)
        .await?;
    Ok(())
}

fn json<T: Serialize>(value: &T) -> serde_json::Value {
    serde_json::to_value(value).unwrap_or_default()
}

fn names(facts: &[Fact]) -> Vec<&'static str> {
    facts.iter().map(|fact| fact.as_str()).collect()
}
