//! The targets of jobs. A target's state moves only from the state the caller saw, so that nothing happens twice.

use muster_domain::job::TargetState;
use muster_domain::{GuestId, JobId, TargetId, Timestamp};
use sqlx::types::Json;
use uuid::Uuid;

use crate::error::{During as _, StoreError};
use crate::tx::{Tx, on};

const INSERT: &str = "INSERT INTO job_targets (id, job_id, place, guest_id, name, state, reason_code, reason_detail, \
    attempt, finished_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9)";
const OF_JOB: &str = "SELECT t.*, g.vmid, g.node_id, n.name AS node FROM job_targets t LEFT JOIN guests g ON g.id = t.guest_id \
    LEFT JOIN proxmox_nodes n ON n.id = g.node_id WHERE t.job_id = $1 ORDER BY t.place";
const ONE: &str = "SELECT t.*, g.vmid, g.node_id, n.name AS node FROM job_targets t LEFT JOIN guests g ON g.id = t.guest_id \
    LEFT JOIN proxmox_nodes n ON n.id = g.node_id WHERE t.id = $1";
const OPEN_OF_KIND: &str = "SELECT t.guest_id FROM job_targets t JOIN jobs j ON j.id = t.job_id \
    WHERE j.kind = $1 AND t.state IN ('queued', 'running', 'waiting') AND t.guest_id IS NOT NULL";
const WAITING_FOR: &str = "SELECT DISTINCT t.job_id FROM job_targets t JOIN jobs j ON j.id = t.job_id \
    WHERE t.guest_id = $1 AND j.kind = $2 AND t.state IN ('queued', 'running', 'waiting')";
const MOVE: &str = "UPDATE job_targets SET state = $1, step = COALESCE($2, step), reason_code = $3, reason_detail = $4, \
    memo = $5, result = COALESCE($6, result), attempt = attempt + $7, started_at = COALESCE(started_at, $8), \
    finished_at = $9, transport = COALESCE($10, transport) WHERE id = $11 AND state = $12";

/// One target with what its guest is now. Times are microseconds since 1970.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct TargetRow {
    /// Its id.
    pub id: Uuid,
    /// Its job.
    pub job_id: Uuid,
    /// Its place in the job's list, from 0.
    pub place: i64,
    /// The guest, where it is one that still exists.
    pub guest_id: Option<Uuid>,
    /// Its name when the job was made.
    pub name: String,
    /// `queued`, `running`, `waiting`, `succeeded`, `failed`, `skipped` or `cancelled`.
    pub state: String,
    /// The step it is at, or ended in.
    pub step: Option<String>,
    /// Why it ended as it did or waits, as a stable code.
    pub reason_code: Option<String>,
    /// The same for people.
    pub reason_detail: Option<String>,
    /// How often it was begun.
    pub attempt: i64,
    /// What a resumed job needs to go on instead of doing a step again.
    pub memo: Option<Json<serde_json::Value>>,
    /// What came of it.
    pub result: Option<Json<serde_json::Value>>,
    /// The way it is or was worked on by, e.g. `token_console`.
    pub transport: Option<String>,
    /// When it was first begun.
    pub started_at: Option<i64>,
    /// When it ended.
    pub finished_at: Option<i64>,
    /// The guest's number; read only.
    pub vmid: Option<i64>,
    /// The guest's node; read only.
    pub node_id: Option<Uuid>,
    /// The name of the guest's node; read only.
    pub node: Option<String>,
}

/// A target to be added, queued.
#[derive(Debug, Clone, PartialEq)]
pub struct NewTarget {
    /// Its id.
    pub id: TargetId,
    /// The guest, where it is one.
    pub guest: Option<GuestId>,
    /// Its name.
    pub name: String,
    /// Why it is skipped, as code and sentence; `None` when it is to be done.
    pub skipped: Option<(String, String)>,
}

/// A step of a target.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetMove {
    /// The state it is in.
    pub from: TargetState,
    /// The state it gets.
    pub to: TargetState,
    /// Its new step; `None` keeps the old one.
    pub step: Option<&'static str>,
    /// Why, as code and sentence.
    pub reason: Option<(String, String)>,
    /// What a resumed job needs to go on.
    pub memo: Option<serde_json::Value>,
    /// What came of it; `None` keeps what is there.
    pub result: Option<serde_json::Value>,
    /// The way it is worked on by; `None` keeps what is there.
    pub transport: Option<&'static str>,
    /// Whether this begins an attempt.
    pub begins: bool,
    /// Now.
    pub at: Timestamp,
}

impl Tx {
    /// Adds a job's targets in their order.
    pub async fn insert_targets(&mut self, job: JobId, targets: &[NewTarget], at: Timestamp) -> Result<(), StoreError> {
        for (place, target) in targets.iter().enumerate() {
            let state = match target.skipped {
                Some(_) => TargetState::Skipped,
                None => TargetState::Queued,
            };
            on!(self, conn => sqlx::query(INSERT)
                .bind(target.id.0)
                .bind(job.0)
                .bind(i64::try_from(place).unwrap_or(i64::MAX))
                .bind(target.guest.map(|id| id.0))
                .bind(&target.name)
                .bind(state.as_str())
                .bind(target.skipped.as_ref().map(|(code, _)| code))
                .bind(target.skipped.as_ref().map(|(_, detail)| detail))
                .bind(target.skipped.as_ref().map(|_| at.as_micros()))
                .execute(conn)
                .await
                .map(drop))
            .during("add a job's targets")?;
        }
        Ok(())
    }

    /// A job's targets in their order.
    pub async fn targets_of(&mut self, job: JobId) -> Result<Vec<TargetRow>, StoreError> {
        on!(self, conn => sqlx::query_as(OF_JOB).bind(job.0).fetch_all(conn).await).during("read a job's targets")
    }

    /// One target.
    pub async fn target(&mut self, id: TargetId) -> Result<Option<TargetRow>, StoreError> {
        on!(self, conn => sqlx::query_as(ONE).bind(id.0).fetch_optional(conn).await).during("read a target")
    }

    /// The guests that are an open target of a job of this kind.
    pub async fn guests_in_jobs(&mut self, kind: &str) -> Result<Vec<GuestId>, StoreError> {
        let ids: Vec<Uuid> = on!(self, conn => sqlx::query_scalar(OPEN_OF_KIND).bind(kind).fetch_all(conn).await)
            .during("look for guests in jobs")?;
        Ok(ids.into_iter().map(GuestId).collect())
    }

    /// The jobs of this kind with the guest as an open target.
    pub async fn jobs_waiting_for(&mut self, guest: GuestId, kind: &str) -> Result<Vec<JobId>, StoreError> {
        let ids: Vec<Uuid> =
            on!(self, conn => sqlx::query_scalar(WAITING_FOR).bind(guest.0).bind(kind).fetch_all(conn).await)
                .during("look for jobs that wait for a guest")?;
        Ok(ids.into_iter().map(JobId).collect())
    }

    /// Moves a target from the state the caller saw. False when it is no longer in it.
    pub async fn move_target(&mut self, id: TargetId, change: &TargetMove) -> Result<bool, StoreError> {
        let at = change.at.as_micros();
        on!(self, conn => sqlx::query(MOVE)
            .bind(change.to.as_str())
            .bind(change.step)
            .bind(change.reason.as_ref().map(|(code, _)| code))
            .bind(change.reason.as_ref().map(|(_, detail)| detail))
            .bind(change.memo.as_ref().map(Json))
            .bind(change.result.as_ref().map(Json))
            .bind(i64::from(change.begins))
            .bind(change.begins.then_some(at))
            .bind(change.to.is_over().then_some(at))
            .bind(change.transport)
            .bind(id.0)
            .bind(change.from.as_str())
            .execute(conn)
            .await
            .map(|done| done.rows_affected() == 1))
        .during("move a target")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;
    use crate::jobs::NewJob;
    use crate::testing::{both, fleet};

    const JOB: JobId = JobId(Uuid::from_u128(9));
    const TARGET: TargetId = TargetId(Uuid::from_u128(30));
    const GUEST: GuestId = GuestId(Uuid::from_u128(3));

    async fn with_target(store: &Store) {
        let job = NewJob {
            id: JOB,
            kind: "scan",
            title: "Scan 1 guest".to_owned(),
            work: serde_json::json!({ "kind": "scan" }),
            cluster: None,
            concurrency_key: None,
            retry_of: None,
            at: Timestamp::from_micros(10),
            created_by: "anna".to_owned(),
        };
        let target = NewTarget {
            id: TARGET,
            guest: Some(GUEST),
            name: "web".to_owned(),
            skipped: None,
        };
        let added: Result<(), StoreError> = crate::write!(store, tx => {
            tx.insert_cluster(&fleet::cluster(1, "a")).await?;
            tx.insert_node(&fleet::node(2, 1, "pve1")).await?;
            tx.insert_guest(&fleet::guest(3, 1, 2, 100)).await?;
            tx.insert_job(&job).await?;
            tx.insert_targets(JOB, std::slice::from_ref(&target), job.at).await
        });
        added.expect("adds");
    }

    async fn move_it(store: &Store, change: &TargetMove) -> bool {
        let moved: Result<bool, StoreError> = crate::write!(store, tx => { tx.move_target(TARGET, change).await });
        moved.expect("moves")
    }

    fn change(from: TargetState, to: TargetState, at: i64) -> TargetMove {
        TargetMove {
            from,
            to,
            step: None,
            reason: None,
            memo: None,
            result: None,
            transport: None,
            begins: false,
            at: Timestamp::from_micros(at),
        }
    }

    both! {
        async fn a_target_moves_only_from_the_state_one_saw(store: &Store) {
            with_target(store).await;
            let mut start = change(TargetState::Queued, TargetState::Running, 11);
            start.step = Some("command");
            start.begins = true;
            start.memo = Some(serde_json::json!({ "command": 1 }));
            assert!(move_it(store, &start).await);
            assert!(!move_it(store, &start).await, "somebody else began it");
            let mut end = change(TargetState::Running, TargetState::Failed, 12);
            end.reason = Some(("timed_out".to_owned(), "It took too long.".to_owned()));
            end.result = Some(serde_json::json!({ "n": 1 }));
            assert!(move_it(store, &end).await);
            let mut tx = store.read().await.expect("reads");
            let row = tx.target(TARGET).await.expect("reads").expect("exists");
            let expected = TargetRow {
                id: TARGET.0,
                job_id: JOB.0,
                place: 0,
                guest_id: Some(GUEST.0),
                name: "web".to_owned(),
                state: "failed".to_owned(),
                step: Some("command".to_owned()),
                reason_code: Some("timed_out".to_owned()),
                reason_detail: Some("It took too long.".to_owned()),
                attempt: 1,
                memo: None,
                result: Some(Json(serde_json::json!({ "n": 1 }))),
                transport: None,
                started_at: Some(11),
                finished_at: Some(12),
                vmid: Some(100),
                node_id: Some(Uuid::from_u128(2)),
                node: Some("pve1".to_owned()),
            };
            assert_eq!(row, expected);
            assert_eq!(tx.targets_of(JOB).await.expect("reads"), [expected]);
        }

        async fn guests_are_in_jobs_while_their_target_is_open(store: &Store) {
            with_target(store).await;
            let guests = |kind: &'static str| async move {
                let mut tx = store.read().await.expect("reads");
                tx.guests_in_jobs(kind).await.expect("reads")
            };
            assert_eq!(guests("scan").await, [GUEST]);
            assert_eq!(guests("install").await, []);
            let waiting = || async {
                let mut tx = store.read().await.expect("reads");
                tx.jobs_waiting_for(GUEST, "scan").await.expect("reads")
            };
            assert_eq!(waiting().await, [JOB], "it is about to wait");
            assert!(move_it(store, &change(TargetState::Queued, TargetState::Waiting, 11)).await);
            assert_eq!(waiting().await, [JOB]);
            assert!(move_it(store, &change(TargetState::Waiting, TargetState::Cancelled, 11)).await);
            assert_eq!(waiting().await, []);
            assert_eq!(guests("scan").await, []);
        }

        async fn log_lines_are_numbered_without_gaps_and_go_with_their_job(store: &Store) {
            with_target(store).await;
            for (n, target) in [(1, None), (2, Some(TARGET))] {
                let written: Result<i64, StoreError> = crate::write!(store, tx => {
                    tx.append_log(JOB, Timestamp::from_micros(n), "info", target, "a line").await
                });
                assert_eq!(written.expect("writes"), n);
            }
            let mut tx = store.read().await.expect("reads");
            let rest = tx.log_after(JOB, 1, 10).await.expect("reads");
            assert_eq!(rest.iter().map(|line| (line.n, line.target_id)).collect::<Vec<_>>(), [(2, Some(TARGET.0))]);
            drop(tx);
            let dropped: Result<_, StoreError> = crate::write!(store, tx => {
                tx.finish_job(JOB, muster_domain::job::JobState::Cancelled, None, Timestamp::from_micros(5)).await?;
                let young = tx.drop_logs_before(Timestamp::from_micros(5)).await?;
                let old = tx.drop_logs_before(Timestamp::from_micros(6)).await?;
                let jobs = tx.drop_jobs_before(Timestamp::from_micros(6)).await?;
                Ok((young, old, jobs, tx.target(TARGET).await?))
            });
            assert_eq!(dropped.expect("drops"), (0, 2, 1, None));
        }
    }
}
