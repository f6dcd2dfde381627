//! Guests in numbers: those that look alike to the rules are counted by the database, which rule they meet is decided by
//! `muster_domain::rollup`.

use muster_domain::fleet::{AgentState, Backup, GuestStatus, UpdatesState};
use muster_domain::job::TargetState;
use muster_domain::rollup::{Alike, Traits};
use muster_domain::{ClusterId, NodeId};
use uuid::Uuid;

use crate::error::{During as _, StoreError};
use crate::tx::{Tx, on};

/// Guests that are equal in all that the rules look at, by node. Of several jobs at work in a guest the one that runs counts.
macro_rules! alike {
    ($which:literal) => {
        concat!(
            "SELECT g.cluster_id, g.node_id, g.status, g.stale_since IS NOT NULL AS stale, g.template, g.agent_state, ",
            "g.updates_state, COALESCE(g.updates_total, 0) > 0 AS outdated, ",
            "COALESCE(g.updates_security, 0) > 0 AS insecure, g.backup, w.state AS work, COUNT(*) AS guests, ",
            "CAST(COALESCE(SUM(g.updates_total), 0) AS BIGINT) AS updates, ",
            "CAST(COALESCE(SUM(g.updates_security), 0) AS BIGINT) AS security ",
            "FROM guests g LEFT JOIN (SELECT guest_id, MIN(state) AS state FROM job_targets ",
            "WHERE state IN ('running', 'waiting') GROUP BY guest_id) w ON w.guest_id = g.id ",
            "WHERE g.gone_at IS NULL",
            $which,
            " GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11"
        )
    };
}

const ALL: &str = alike!("");
const OF_CLUSTER: &str = alike!(" AND g.cluster_id = $1");
const OF_NODE: &str = alike!(" AND g.node_id = $1");

/// Guests of one node that are alike.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct AlikeRow {
    /// Their cluster.
    pub cluster_id: Uuid,
    /// Their node.
    pub node_id: Uuid,
    status: String,
    stale: bool,
    template: bool,
    agent_state: String,
    updates_state: String,
    outdated: bool,
    insecure: bool,
    backup: String,
    work: Option<String>,
    guests: i64,
    updates: i64,
    security: i64,
}

impl AlikeRow {
    /// What the rules need to know of them.
    pub fn alike(&self) -> Result<Alike, StoreError> {
        let status = self.word("status", &self.status, GuestStatus::parse)?;
        let agent = self.word("agent_state", &self.agent_state, AgentState::parse)?;
        let count = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
        Ok(Alike {
            traits: Traits {
                status,
                stale: self.stale,
                template: self.template,
                agent,
                updates: self.word("updates_state", &self.updates_state, UpdatesState::parse)?,
                outdated: self.outdated,
                insecure: self.insecure,
                backup: self.word("backup", &self.backup, Backup::parse)?,
                work: self.work.as_deref().and_then(TargetState::parse),
            },
            guests: count(self.guests),
            updates: count(self.updates),
            security: count(self.security),
        })
    }

    fn word<T>(&self, column: &'static str, value: &str, parse: fn(&str) -> Option<T>) -> Result<T, StoreError> {
        parse(value).ok_or_else(|| StoreError::Meaningless {
            table: "guests",
            column,
            row: format!("of node {}", self.node_id),
            value: value.to_owned(),
        })
    }
}

impl Tx {
    /// The guests of all clusters in numbers.
    pub async fn alike_guests(&mut self) -> Result<Vec<AlikeRow>, StoreError> {
        on!(self, conn => sqlx::query_as(ALL).fetch_all(conn).await).during("count the guests")
    }

    /// The guests of a cluster in numbers.
    pub async fn alike_guests_of_cluster(&mut self, id: ClusterId) -> Result<Vec<AlikeRow>, StoreError> {
        on!(self, conn => sqlx::query_as(OF_CLUSTER).bind(id.0).fetch_all(conn).await)
            .during("count a cluster's guests")
    }

    /// The guests of a node in numbers.
    pub async fn alike_guests_of_node(&mut self, id: NodeId) -> Result<Vec<AlikeRow>, StoreError> {
        on!(self, conn => sqlx::query_as(OF_NODE).bind(id.0).fetch_all(conn).await).during("count a node's guests")
    }
}

#[cfg(test)]
mod tests {
    use muster_domain::rollup::Rollup;
    use muster_domain::{GuestId, JobId, TargetId, Timestamp};

    use super::*;
    use crate::Store;
    use crate::guests::{GuestAgent, GuestUpdates};
    use crate::job_targets::{NewTarget, TargetMove};
    use crate::jobs::NewJob;
    use crate::testing::{both, fleet};

    /// Two nodes with all kinds of guests; 11 is worked on by one job and waits for another, 12 waits.
    async fn all_kinds(store: &Store) -> Result<(), StoreError> {
        crate::write!(store, tx => {
            tx.insert_cluster(&fleet::cluster(1, "a")).await?;
            tx.insert_cluster(&fleet::cluster(4, "b")).await?;
            tx.insert_node(&fleet::node(2, 1, "pve1")).await?;
            tx.insert_node(&fleet::node(3, 1, "pve2")).await?;
            tx.insert_node(&fleet::node(5, 4, "pve1")).await?;
            for id in 10..20 {
                let mut guest = fleet::guest(id, 1, if id < 15 { 2 } else { 3 }, 100 + i64::try_from(id).unwrap_or(0));
                guest.stale_since = (id == 13).then_some(5);
                guest.template = id == 14;
                guest.gone_at = (id == 15).then_some(6);
                guest.backup = if id % 2 == 0 { "none" } else { "covered" }.to_owned();
                tx.insert_guest(&guest).await?;
            }
            tx.insert_guest(&fleet::guest(30, 4, 5, 100)).await?;
            for (id, state, total, security) in [
                (10, "fresh", Some(3), Some(1)),
                (11, "fresh", Some(0), Some(0)),
                (16, "stale", Some(4), Some(0)),
                (17, "failed", None, None),
                (18, "unsupported", None, None),
            ] {
                let updates = GuestUpdates { state, total, security, scanned_at: None, reason: None, reboot_required: None };
                tx.set_guest_updates(GuestId(Uuid::from_u128(id)), &updates).await?;
            }
            let online = GuestAgent { state: "online", version: None, seen_at: None, reason: None };
            tx.set_guest_agent(GuestId(Uuid::from_u128(13)), &online).await?;
            for (job, guest, state) in [
                (50, 11, TargetState::Waiting),
                (51, 11, TargetState::Running),
                (52, 12, TargetState::Waiting),
                (53, 10, TargetState::Succeeded),
            ] {
                at_work(tx, job, guest, state).await?;
            }
            Ok(())
        })
    }

    async fn at_work(tx: &mut Tx, job: u128, guest: u128, state: TargetState) -> Result<(), StoreError> {
        let (job, target) = (JobId(Uuid::from_u128(job)), TargetId(Uuid::from_u128(job + 100)));
        let at = Timestamp::from_micros(1);
        let new = NewJob {
            id: job,
            kind: "scan",
            title: String::new(),
            work: serde_json::json!({ "kind": "scan" }),
            cluster: None,
            concurrency_key: None,
            retry_of: None,
            at,
            created_by: String::new(),
        };
        tx.insert_job(&new).await?;
        let one = NewTarget {
            id: target,
            guest: Some(GuestId(Uuid::from_u128(guest))),
            name: String::new(),
            skipped: None,
        };
        tx.insert_targets(job, &[one], at).await?;
        let step = TargetMove {
            from: TargetState::Queued,
            to: state,
            step: Some("command"),
            reason: None,
            memo: None,
            result: None,
            transport: None,
            begins: false,
            at,
        };
        tx.move_target(target, &step).await.map(drop)
    }

    fn counted(rows: &[AlikeRow]) -> Rollup {
        Rollup::of(rows.iter().map(|row| row.alike().expect("means something")))
    }

    both! {
        async fn the_database_counts_as_one_would_by_hand(store: &Store) {
            all_kinds(store).await.expect("adds");
            let mut tx = store.read().await.expect("reads");
            let cluster = ClusterId(Uuid::from_u128(1));
            let rows = tx.guests_of(cluster).await.expect("reads");
            let by_hand = |node: Option<u128>| {
                let of_node = rows.iter().filter(|row| node.is_none_or(|node| row.node_id == Uuid::from_u128(node)));
                Rollup::of(of_node.map(|row| Alike::one(&row.state().expect("means something"))))
            };
            let of_cluster = tx.alike_guests_of_cluster(cluster).await.expect("reads");
            assert_eq!(counted(&of_cluster), by_hand(None));
            for node in [2, 3] {
                let of_node = tx.alike_guests_of_node(NodeId(Uuid::from_u128(node))).await.expect("reads");
                assert_eq!(counted(&of_node), by_hand(Some(node)));
            }
            let all = counted(&tx.alike_guests().await.expect("reads"));
            assert_eq!((all.guests, all.updates_total, all.security_total), (10, Some(7), Some(1)));
        }

        async fn the_work_that_runs_goes_before_the_one_that_waits(store: &Store) {
            all_kinds(store).await.expect("adds");
            let mut tx = store.read().await.expect("reads");
            let ids = [10, 11, 12, 99].map(|id| GuestId(Uuid::from_u128(id)));
            let mut rows = tx.guests_by_id(&ids).await.expect("reads");
            rows.sort_by_key(|row| row.vmid);
            let work = |row: &crate::guests::GuestRow| (row.work_job.map(|job| job.as_u128()), row.work_state.clone());
            let found: Vec<_> = rows.iter().map(work).collect();
            let said = |job, state: &str| (Some(job), Some(state.to_owned()));
            assert_eq!(found, [(None, None), said(51, "running"), said(52, "waiting")]);
        }
    }
}
