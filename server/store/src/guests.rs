//! The guests of all clusters. Three writers share a row, each with columns of its own: discovery, the agent channel, and scans.

use muster_domain::fleet::{
    AgentState, Backup, ExecEndpoint, GuestKind, GuestState, GuestStatus, NodeStatus, UpdatesState,
};
use muster_domain::job::TargetState;
use muster_domain::reach::{ConsoleMode, Packages, QemuAgent, TokenConsole};
use muster_domain::rights::{GuestRights, Major};
use muster_domain::{ClusterId, GuestId};
use sqlx::types::Json;
use uuid::Uuid;

use crate::error::{During as _, StoreError};
use crate::tx::{Tx, on};

/// The rows of guests, each with what its node and its cluster are and with the job that is at work in it; one that runs goes before one
/// that waits.
macro_rules! guest_rows {
    ($($rest:expr),+) => {
        concat!(
            "SELECT g.*, n.name AS node, n.status AS node_status, n.stale_since AS node_stale_since, ",
            "n.version AS node_version, n.exec_endpoint, n.exec_endpoint_version, n.packages, n.token_console, ",
            "n.token_console_packages, c.release, c.login_user, ",
            "w.job_id AS work_job, j.kind AS work_kind, w.state AS work_state, w.step AS work_step ",
            "FROM guests g JOIN proxmox_nodes n ON n.id = g.node_id ",
            "JOIN proxmox_clusters c ON c.id = g.cluster_id ",
            "LEFT JOIN job_targets w ON w.guest_id = g.id AND w.state IN ('running', 'waiting') ",
            "AND NOT EXISTS (SELECT 1 FROM job_targets o WHERE o.guest_id = w.guest_id ",
            "AND o.state IN ('running', 'waiting') AND (o.state, o.id) < (w.state, w.id)) ",
            "LEFT JOIN jobs j ON j.id = w.job_id ",
            $($rest),+
        )
    };
}
pub(crate) use guest_rows;

const OF_CLUSTER: &str = guest_rows!("WHERE g.cluster_id = $1 AND g.gone_at IS NULL ORDER BY g.vmid");
const TOMBSTONES: &str =
    guest_rows!("WHERE g.cluster_id = $1 AND g.gone_at IS NOT NULL ORDER BY g.vmid, g.gone_at DESC");
const ONE: &str = guest_rows!("WHERE g.id = $1");
/// Ids that one statement asks for.
const AT_ONCE: usize = 25;
const SOME: &str = guest_rows!(
    "WHERE g.id IN ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, ",
    "$21, $22, $23, $24, $25)"
);
const INSERT: &str = "INSERT INTO guests (node_id, vmid, kind, name, status, stale_since, lock, template, tags, pool, \
    system_id, system_name, addresses, cpus, memory_max, disk_max, unprivileged, cmode, has_mounts, backup, \
    config_digest, details_at, reach_best, reach_needs, gone_at, hidden, rights, cmode_pending, qemu_agent, id, \
    cluster_id, first_seen_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, \
    $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32)";
const UPDATE: &str = "UPDATE guests SET node_id = $1, vmid = $2, kind = $3, name = $4, status = $5, stale_since = $6, \
    lock = $7, template = $8, tags = $9, pool = $10, system_id = $11, system_name = $12, addresses = $13, cpus = $14, \
    memory_max = $15, disk_max = $16, unprivileged = $17, cmode = $18, has_mounts = $19, backup = $20, \
    config_digest = $21, details_at = $22, reach_best = $23, reach_needs = $24, gone_at = $25, \
    hidden = $26, rights = $27, cmode_pending = $28, qemu_agent = $29 WHERE id = $30";
const SET_REACH: &str = "UPDATE guests SET reach_best = $1, reach_needs = $2 WHERE id = $3";
const SET_AGENT: &str = "UPDATE guests SET agent_state = $1, agent_version = $2, agent_seen_at = $3, agent_reason = $4 \
    WHERE id = $5";
const SET_UPDATES: &str = "UPDATE guests SET updates_state = $1, updates_total = $2, updates_security = $3, \
    updates_scanned_at = $4, updates_reason = $5, reboot_required = $6 WHERE id = $7";
const SET_QEMU_AGENT: &str = "UPDATE guests SET qemu_agent = $1 WHERE id = $2";
const SET_CONSOLE: &str = "UPDATE guests SET cmode = $1, cmode_pending = $2 WHERE id = $3";
const SET_SYSTEM: &str = "UPDATE guests SET system_id = $1, system_name = $2 WHERE id = $3";

/// One guest with the name of its node. Times are microseconds since 1970, sizes bytes.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct GuestRow {
    /// Its id; stays when the guest migrates.
    pub id: Uuid,
    /// Its cluster.
    pub cluster_id: Uuid,
    /// The node it is on.
    pub node_id: Uuid,
    /// That node's name; read only.
    pub node: String,
    /// Whether that node answers (`online`, `offline`, `unknown`); read only.
    pub node_status: String,
    /// Since when what is known of that node is old; read only.
    pub node_stale_since: Option<i64>,
    /// That node's PVE version; read only.
    pub node_version: Option<String>,
    /// Whether that node runs commands in containers (`unknown`, `works`, `missing`); read only.
    pub exec_endpoint: String,
    /// The version of the node when that was found out; read only.
    pub exec_endpoint_version: Option<String>,
    /// The job that is at work in it; read only.
    pub work_job: Option<Uuid>,
    /// That job's kind; read only.
    pub work_kind: Option<String>,
    /// Whether that job is `running` or `waiting` in this guest; read only.
    pub work_state: Option<String>,
    /// The step it is at; read only.
    pub work_step: Option<String>,
    /// That node's packages that decide about consoles; read only.
    pub packages: Option<Json<Packages>>,
    /// What a try of a console with the token has shown (`unknown`, `works`, `refused`); read only.
    pub token_console: String,
    /// The node's packages at that try; read only.
    pub token_console_packages: Option<Json<Packages>>,
    /// The PVE release of its cluster, e.g. `9.1`; read only.
    pub release: Option<String>,
    /// The user whose password opens consoles in its cluster; read only.
    pub login_user: Option<String>,
    /// Its number in PVE; unique in the cluster among those that are not gone.
    pub vmid: i64,
    /// `lxc` or `qemu`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// `running`, `stopped`, `paused` or `unknown`.
    pub status: String,
    /// Since when PVE's values are old.
    pub stale_since: Option<i64>,
    /// What holds it, e.g. `backup`.
    pub lock: Option<String>,
    /// Whether it is a template.
    pub template: bool,
    /// Tags as PVE writes them, separated by semicolons.
    pub tags: String,
    /// Its resource pool.
    pub pool: Option<String>,
    /// Its system, e.g. `debian`.
    pub system_id: Option<String>,
    /// Its system in words, e.g. `Debian GNU/Linux 13 (trixie)`.
    pub system_name: Option<String>,
    /// All addresses, the best one first, separated by spaces.
    pub addresses: String,
    /// Processors it may use, perhaps a part of one.
    pub cpus: Option<f64>,
    /// Memory it may use.
    pub memory_max: Option<i64>,
    /// Size of its first disk.
    pub disk_max: Option<i64>,
    /// Whether root inside is nobody outside; containers only.
    pub unprivileged: Option<bool>,
    /// What its console shows: `shell`, `console` or `tty`; containers only.
    pub cmode: Option<String>,
    /// Whether it has mount points beside its root.
    pub has_mounts: Option<bool>,
    /// Whether a backup job covers it: `covered`, `none` or `unknown`.
    pub backup: String,
    /// PVE's digest of its configuration.
    pub config_digest: Option<String>,
    /// When configuration and addresses were last read.
    pub details_at: Option<i64>,
    /// `none`, `enrolling`, `online`, `late`, `offline` or `quarantined`.
    pub agent_state: String,
    /// The agent's version.
    pub agent_version: Option<String>,
    /// When the agent was last heard of.
    pub agent_seen_at: Option<i64>,
    /// Why the agent's state is not what one wants.
    pub agent_reason: Option<String>,
    /// `unknown`, `fresh`, `stale`, `failed` or `unsupported`.
    pub updates_state: String,
    /// How many updates wait; none unless fresh or stale.
    pub updates_total: Option<i64>,
    /// How many of them are security updates.
    pub updates_security: Option<i64>,
    /// When that was read.
    pub updates_scanned_at: Option<i64>,
    /// Why the updates are not known.
    pub updates_reason: Option<String>,
    /// Whether the guest wants a restart.
    pub reboot_required: Option<bool>,
    /// The best way in, e.g. `agent`.
    pub reach_best: Option<String>,
    /// The one step that would open a better way.
    pub reach_needs: Option<String>,
    /// When a discovery first saw it.
    pub first_seen_at: i64,
    /// Since when it no longer exists.
    pub gone_at: Option<i64>,
    /// Whether it exists although the token cannot see it.
    pub hidden: bool,
    /// What the cluster's token may do with it; none while nobody has asked.
    pub rights: Option<Json<GuestRights>>,
    /// What its console will show after the next restart, where that differs from `cmode`.
    pub cmode_pending: Option<String>,
    /// What is known of its QEMU guest agent: `unknown`, `off`, `silent` or `answers`.
    pub qemu_agent: String,
}

/// The columns of the agent channel.
#[derive(Debug, Clone, PartialEq)]
pub struct GuestAgent {
    /// `none`, `enrolling`, `online`, `late`, `offline` or `quarantined`.
    pub state: &'static str,
    /// The agent's version.
    pub version: Option<String>,
    /// When it was last heard of, microseconds since 1970.
    pub seen_at: Option<i64>,
    /// Why the state is not what one wants.
    pub reason: Option<String>,
}

/// The columns of scans.
#[derive(Debug, Clone, PartialEq)]
pub struct GuestUpdates {
    /// `unknown`, `fresh`, `stale`, `failed` or `unsupported`.
    pub state: &'static str,
    /// How many updates wait; `None` unless fresh or stale.
    pub total: Option<i64>,
    /// How many of them are security updates.
    pub security: Option<i64>,
    /// When that was read, microseconds since 1970.
    pub scanned_at: Option<i64>,
    /// Why they are not known.
    pub reason: Option<String>,
    /// Whether the guest wants a restart.
    pub reboot_required: Option<bool>,
}

/// Binds the first 30 parameters of `INSERT` and `UPDATE`. A macro, since the type of a query differs by driver.
macro_rules! bind_facts {
    ($query:expr, $row:ident) => {
        $query
            .bind($row.node_id)
            .bind($row.vmid)
            .bind(&$row.kind)
            .bind(&$row.name)
            .bind(&$row.status)
            .bind($row.stale_since)
            .bind(&$row.lock)
            .bind($row.template)
            .bind(&$row.tags)
            .bind(&$row.pool)
            .bind(&$row.system_id)
            .bind(&$row.system_name)
            .bind(&$row.addresses)
            .bind($row.cpus)
            .bind($row.memory_max)
            .bind($row.disk_max)
            .bind($row.unprivileged)
            .bind(&$row.cmode)
            .bind($row.has_mounts)
            .bind(&$row.backup)
            .bind(&$row.config_digest)
            .bind($row.details_at)
            .bind(&$row.reach_best)
            .bind(&$row.reach_needs)
            .bind($row.gone_at)
            .bind($row.hidden)
            .bind(&$row.rights)
            .bind(&$row.cmode_pending)
            .bind(&$row.qemu_agent)
            .bind($row.id)
    };
}
impl GuestRow {
    /// What the rules need to know of it.
    pub fn state(&self) -> Result<GuestState, StoreError> {
        let remembered = self.exec_endpoint_version.is_some() && self.exec_endpoint_version == self.node_version;
        let exec_endpoint = self.word("exec_endpoint", &self.exec_endpoint, ExecEndpoint::parse)?;
        let major = Major::of(self.release.as_deref().unwrap_or_default());
        let packages = self.packages.as_ref().map(|known| known.0.clone()).unwrap_or_default();
        // What a try has shown counts for the packages that it met; else their versions tell.
        let tried = self
            .token_console_packages
            .as_ref()
            .is_some_and(|at_try| at_try.0 == packages);
        let token_console = match tried {
            true => self.word("token_console", &self.token_console, TokenConsole::parse)?,
            false => packages.token_console(major),
        };
        Ok(GuestState {
            vmid: self.vmid,
            token_console,
            packages,
            major,
            login: self.login_user.clone(),
            rights: self.rights.as_ref().map(|known| known.0),
            // A mode that this version does not know opens no shell.
            console_mode: self
                .cmode
                .as_deref()
                .map(|mode| ConsoleMode::parse(mode).unwrap_or(ConsoleMode::Console)),
            console_pending: self.cmode_pending.as_deref().and_then(ConsoleMode::parse),
            qemu_agent: self.word("qemu_agent", &self.qemu_agent, QemuAgent::parse)?,
            kind: self.word("kind", &self.kind, GuestKind::parse)?,
            status: self.word("status", &self.status, GuestStatus::parse)?,
            stale: self.stale_since.is_some(),
            hidden: self.hidden,
            template: self.template,
            gone: self.gone_at.is_some(),
            lock: self.lock.clone(),
            system: self.system_id.clone(),
            node: self.node.clone(),
            node_status: self.word("node_status", &self.node_status, NodeStatus::parse)?,
            node_stale: self.node_stale_since.is_some(),
            node_version: self.node_version.clone(),
            exec_endpoint: if remembered {
                exec_endpoint
            } else {
                ExecEndpoint::Unknown
            },
            agent: self.word("agent_state", &self.agent_state, AgentState::parse)?,
            updates: self.word("updates_state", &self.updates_state, UpdatesState::parse)?,
            updates_total: self.updates_total.and_then(|count| u32::try_from(count).ok()),
            updates_security: self.updates_security.and_then(|count| u32::try_from(count).ok()),
            backup: self.word("backup", &self.backup, Backup::parse)?,
            work: self.work_state.as_deref().and_then(TargetState::parse),
        })
    }

    fn word<T>(&self, column: &'static str, value: &str, parse: fn(&str) -> Option<T>) -> Result<T, StoreError> {
        parse(value).ok_or_else(|| StoreError::Meaningless {
            table: "guests",
            column,
            row: self.id.to_string(),
            value: value.to_owned(),
        })
    }
}

impl Tx {
    /// The guests of a cluster by number, without those that are gone.
    pub async fn guests_of(&mut self, cluster: ClusterId) -> Result<Vec<GuestRow>, StoreError> {
        on!(self, conn => sqlx::query_as(OF_CLUSTER).bind(cluster.0).fetch_all(conn).await)
            .during("read a cluster's guests")
    }

    /// The guests of a cluster that are gone, the latest of each number first.
    pub async fn gone_guests_of(&mut self, cluster: ClusterId) -> Result<Vec<GuestRow>, StoreError> {
        on!(self, conn => sqlx::query_as(TOMBSTONES).bind(cluster.0).fetch_all(conn).await)
            .during("read a cluster's former guests")
    }

    /// One guest, also when it is gone.
    pub async fn guest(&mut self, id: GuestId) -> Result<Option<GuestRow>, StoreError> {
        on!(self, conn => sqlx::query_as(ONE).bind(id.0).fetch_optional(conn).await).during("read a guest")
    }

    /// These guests, also when they are gone, in no order; those that were never there are missing.
    pub async fn guests_by_id(&mut self, ids: &[GuestId]) -> Result<Vec<GuestRow>, StoreError> {
        let mut found = Vec::with_capacity(ids.len());
        for some in ids.chunks(AT_ONCE) {
            // One text for any number: what is left of its places names nobody.
            let ids = some
                .iter()
                .map(|id| id.0)
                .chain(std::iter::repeat(Uuid::nil()))
                .take(AT_ONCE);
            let rows: Result<Vec<GuestRow>, _> = on!(self, conn => {
                let mut query = sqlx::query_as(SOME);
                for id in ids {
                    query = query.bind(id);
                }
                query.fetch_all(conn).await
            });
            found.extend(rows.during("read some guests")?);
        }
        Ok(found)
    }

    /// Adds a guest without agent and scans, whatever the row says of them.
    pub async fn insert_guest(&mut self, row: &GuestRow) -> Result<(), StoreError> {
        on!(self, conn => bind_facts!(sqlx::query(INSERT), row)
            .bind(row.cluster_id)
            .bind(row.first_seen_at)
            .execute(conn)
            .await
            .map(drop))
        .during("add a guest")
    }

    /// Writes what discovery knows of a guest; the columns of agent and scans stay.
    pub async fn save_guest(&mut self, row: &GuestRow) -> Result<(), StoreError> {
        on!(self, conn => bind_facts!(sqlx::query(UPDATE), row).execute(conn).await.map(drop)).during("change a guest")
    }

    /// Writes the columns of the agent channel.
    pub async fn set_guest_agent(&mut self, id: GuestId, agent: &GuestAgent) -> Result<(), StoreError> {
        on!(self, conn => sqlx::query(SET_AGENT)
            .bind(agent.state)
            .bind(&agent.version)
            .bind(agent.seen_at)
            .bind(&agent.reason)
            .bind(id.0)
            .execute(conn)
            .await
            .map(drop))
        .during("write a guest's agent state")
    }

    /// Writes the columns of scans.
    pub async fn set_guest_updates(&mut self, id: GuestId, updates: &GuestUpdates) -> Result<(), StoreError> {
        on!(self, conn => sqlx::query(SET_UPDATES)
            .bind(updates.state)
            .bind(updates.total)
            .bind(updates.security)
            .bind(updates.scanned_at)
            .bind(&updates.reason)
            .bind(updates.reboot_required)
            .bind(id.0)
            .execute(conn)
            .await
            .map(drop))
        .during("write a guest's update state")
    }

    /// Writes which system a guest says it is: better known than what its configuration claims.
    pub async fn set_guest_system(&mut self, id: GuestId, system: &str, name: &str) -> Result<(), StoreError> {
        on!(self, conn => sqlx::query(SET_SYSTEM).bind(system).bind(name).bind(id.0).execute(conn).await.map(drop))
            .during("write a guest's system")
    }

    /// Writes what was seen of a VM's guest agent.
    pub async fn set_guest_qemu_agent(&mut self, id: GuestId, seen: QemuAgent) -> Result<(), StoreError> {
        on!(self, conn => sqlx::query(SET_QEMU_AGENT).bind(seen.as_str()).bind(id.0).execute(conn).await.map(drop))
            .during("write a VM's guest agent")
    }

    /// Writes what a container's console shows, and what it will show after the next restart where that differs.
    pub async fn set_guest_console(
        &mut self,
        id: GuestId,
        mode: &str,
        pending: Option<&str>,
    ) -> Result<(), StoreError> {
        on!(self, conn => sqlx::query(SET_CONSOLE).bind(mode).bind(pending).bind(id.0).execute(conn).await.map(drop))
            .during("write a container's console mode")
    }

    /// Writes the best way in and the step that would open a better one.
    pub async fn set_guest_reach(
        &mut self,
        id: GuestId,
        best: Option<&str>,
        needs: Option<&str>,
    ) -> Result<(), StoreError> {
        on!(self, conn => sqlx::query(SET_REACH).bind(best).bind(needs).bind(id.0).execute(conn).await.map(drop))
            .during("write a guest's reach")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;
    use crate::testing::{both, fleet};

    async fn with_guest(store: &Store, row: &GuestRow) {
        let written: Result<(), StoreError> = crate::write!(store, tx => {
            tx.insert_cluster(&fleet::cluster(1, "a")).await?;
            tx.insert_node(&fleet::node(2, 1, "pve1")).await?;
            tx.insert_guest(row).await
        });
        written.expect("adds");
    }

    async fn guest(store: &Store, id: Uuid) -> GuestRow {
        let mut tx = store.read().await.expect("reads");
        tx.guest(GuestId(id)).await.expect("reads").expect("exists")
    }

    #[test]
    fn a_501_counts_for_the_version_that_gave_it() {
        let mut row = fleet::guest(3, 1, 2, 100);
        row.exec_endpoint = "missing".to_owned();
        row.exec_endpoint_version = Some("9.1.9".to_owned());
        row.node_version = Some("9.1.9".to_owned());
        assert_eq!(
            row.state().expect("means something").exec_endpoint,
            ExecEndpoint::Missing
        );
        row.node_version = Some("9.2.0".to_owned());
        assert_eq!(
            row.state().expect("means something").exec_endpoint,
            ExecEndpoint::Unknown
        );
        row.agent_state = "asleep".to_owned();
        assert!(row.state().expect_err("means nothing").to_string().contains("asleep"));
    }

    both! {
        async fn discovery_leaves_the_columns_of_others_alone(store: &Store) {
            let mut row = fleet::guest(3, 1, 2, 100);
            with_guest(store, &row).await;
            let agent = GuestAgent {
                state: "online",
                version: Some("0.1.0".to_owned()),
                seen_at: Some(5),
                reason: None,
            };
            let updates = GuestUpdates {
                state: "fresh",
                total: Some(3),
                security: Some(1),
                scanned_at: Some(6),
                reason: None,
                reboot_required: Some(false),
            };
            row.cpus = Some(0.5);
            row.cmode = Some("shell".to_owned());
            let id = GuestId(row.id);
            let written: Result<(), StoreError> = crate::write!(store, tx => {
                tx.set_guest_agent(id, &agent).await?;
                tx.set_guest_updates(id, &updates).await?;
                tx.save_guest(&row).await
            });
            written.expect("writes");
            row.agent_state = "online".to_owned();
            row.agent_version = agent.version;
            row.agent_seen_at = agent.seen_at;
            row.updates_state = "fresh".to_owned();
            row.updates_total = updates.total;
            row.updates_security = updates.security;
            row.updates_scanned_at = updates.scanned_at;
            row.reboot_required = updates.reboot_required;
            assert_eq!(guest(store, row.id).await, row);
        }

        async fn system_and_reach_are_written_alone(store: &Store) {
            let mut row = fleet::guest(3, 1, 2, 100);
            with_guest(store, &row).await;
            let id = GuestId(row.id);
            let written: Result<(), StoreError> = crate::write!(store, tx => {
                tx.set_guest_system(id, "alpine", "Alpine Linux v3.22").await?;
                tx.set_guest_reach(id, Some("agent"), None).await
            });
            written.expect("writes");
            row.system_id = Some("alpine".to_owned());
            row.system_name = Some("Alpine Linux v3.22".to_owned());
            row.reach_best = Some("agent".to_owned());
            row.reach_needs = None;
            assert_eq!(guest(store, row.id).await, row);
        }

        async fn a_number_is_free_again_when_its_guest_is_gone(store: &Store) {
            let mut first = fleet::guest(3, 1, 2, 100);
            with_guest(store, &first).await;
            let second = fleet::guest(4, 1, 2, 100);
            let taken: Result<(), StoreError> = crate::write!(store, tx => { tx.insert_guest(&second).await });
            assert!(taken.expect_err("refuses").is_unique_violation());
            first.gone_at = Some(9);
            let free: Result<(), StoreError> = crate::write!(store, tx => {
                tx.save_guest(&first).await?;
                tx.insert_guest(&second).await
            });
            free.expect("adds");
            let mut tx = store.read().await.expect("reads");
            let cluster = ClusterId(first.cluster_id);
            assert_eq!(tx.guests_of(cluster).await.expect("reads"), [second]);
            assert_eq!(tx.gone_guests_of(cluster).await.expect("reads"), [first]);
        }
    }
}
