//! Jobs: durable background work. Who may do what, and when a job has ended, is decided by callers.

mod queue;

use muster_domain::job::Tally;
use muster_domain::{ClusterId, JobId, Timestamp};
use sqlx::types::Json;
use uuid::Uuid;

use crate::error::{During as _, StoreError};
use crate::tx::{Tx, on};

/// A job's row with the counts of its targets.
macro_rules! with_counts {
    ($rest:literal) => {
        concat!(
            "SELECT j.*, ",
            "(SELECT COUNT(*) FROM job_targets t WHERE t.job_id = j.id) AS total, ",
            "(SELECT COUNT(*) FROM job_targets t WHERE t.job_id = j.id AND t.state = 'succeeded') AS succeeded, ",
            "(SELECT COUNT(*) FROM job_targets t WHERE t.job_id = j.id AND t.state = 'failed') AS failed, ",
            "(SELECT COUNT(*) FROM job_targets t WHERE t.job_id = j.id AND t.state = 'skipped') AS skipped, ",
            "(SELECT COUNT(*) FROM job_targets t WHERE t.job_id = j.id AND t.state = 'cancelled') AS cancelled ",
            "FROM jobs j ",
            $rest
        )
    };
}

const INSERT: &str = "INSERT INTO jobs (id, kind, title, work, state, cluster_id, concurrency_key, run_at, attempt, \
    interruptions, cancel_requested, retry_of, created_at, created_by) \
    VALUES ($1, $2, $3, $4, 'queued', $5, $6, $7, 0, 0, FALSE, $8, $7, $9)";
const ONE: &str = with_counts!("WHERE j.id = $1");
const PAGE: &str = with_counts!(
    "WHERE ($1 IS NULL OR j.id < $1) AND ($2 IS NULL OR j.kind = $2) AND ($3 IS NULL OR j.state = $3) \
     AND ($4 IS NULL OR j.cluster_id = $4) ORDER BY j.id DESC LIMIT $5"
);
const OPEN_DISCOVERIES: &str = "SELECT cluster_id, id FROM jobs WHERE state IN ('queued', 'running') \
    AND kind = 'discover' AND cluster_id IS NOT NULL ORDER BY id";
const OPEN_BY_KEY: &str = "SELECT id FROM jobs WHERE concurrency_key = $1 AND state IN ('queued', 'running') \
    AND NOT cancel_requested ORDER BY id LIMIT 1";
const DROP_BEFORE: &str = "DELETE FROM jobs WHERE finished_at < $1";

/// One job. Times are microseconds since 1970.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct JobRow {
    /// Its id; UUIDv7, so that their order is the order of creation.
    pub id: Uuid,
    /// `discover`, `scan` or `install`.
    pub kind: String,
    /// A line for people, e.g. `Scan 12 guests`.
    pub title: String,
    /// The input: JSON of `muster_domain::job::Work`.
    pub work: Json<serde_json::Value>,
    /// `queued`, `running`, `succeeded`, `partly`, `failed` or `cancelled`.
    pub state: String,
    /// The cluster it is about, where it is about one.
    pub cluster_id: Option<Uuid>,
    /// Of the jobs with one key at most one runs.
    pub concurrency_key: Option<String>,
    /// Not to be claimed before; 0 while it runs and was woken meanwhile.
    pub run_at: i64,
    /// How often it was put back for another attempt.
    pub attempt: i64,
    /// How often its lease ran out under a server that died.
    pub interruptions: i64,
    /// The server that works on it.
    pub lease_owner: Option<Uuid>,
    /// Until when that server is believed.
    pub lease_until: Option<i64>,
    /// Whether somebody wants it stopped.
    pub cancel_requested: bool,
    /// Why it ended as it did, as a stable code.
    pub reason_code: Option<String>,
    /// The same for people.
    pub reason_detail: Option<String>,
    /// The job whose failed targets this one tries again.
    pub retry_of: Option<Uuid>,
    /// When it was asked for.
    pub created_at: i64,
    /// Who asked for it.
    pub created_by: String,
    /// When it was first claimed.
    pub started_at: Option<i64>,
    /// When it ended.
    pub finished_at: Option<i64>,
    /// Targets in all.
    pub total: i64,
    /// Targets that succeeded.
    pub succeeded: i64,
    /// Targets that failed.
    pub failed: i64,
    /// Targets that were skipped.
    pub skipped: i64,
    /// Targets that were cancelled.
    pub cancelled: i64,
}

impl JobRow {
    /// The counts of its targets.
    pub fn tally(&self) -> Tally {
        let count = |n: i64| u64::try_from(n).unwrap_or(0);
        Tally {
            open: count(self.total - self.succeeded - self.failed - self.skipped - self.cancelled),
            succeeded: count(self.succeeded),
            failed: count(self.failed),
            skipped: count(self.skipped),
            cancelled: count(self.cancelled),
        }
    }
}

/// A job to be added. It starts queued.
#[derive(Debug, Clone, PartialEq)]
pub struct NewJob {
    /// Its id.
    pub id: JobId,
    /// `discover`, `scan` or `install`.
    pub kind: &'static str,
    /// A line for people.
    pub title: String,
    /// The input.
    pub work: serde_json::Value,
    /// The cluster it is about, where it is about one.
    pub cluster: Option<ClusterId>,
    /// Of the jobs with one key at most one runs.
    pub concurrency_key: Option<String>,
    /// The job whose failed targets this one tries again.
    pub retry_of: Option<JobId>,
    /// Now.
    pub at: Timestamp,
    /// Who asks for it.
    pub created_by: String,
}

/// Which jobs a page shows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct JobFilter {
    /// Only older ones than this.
    pub before: Option<JobId>,
    /// Only this kind.
    pub kind: Option<String>,
    /// Only this state.
    pub state: Option<String>,
    /// Only about this cluster.
    pub cluster: Option<ClusterId>,
}

impl Tx {
    /// Adds a job.
    pub async fn insert_job(&mut self, job: &NewJob) -> Result<(), StoreError> {
        on!(self, conn => sqlx::query(INSERT)
            .bind(job.id.0)
            .bind(job.kind)
            .bind(&job.title)
            .bind(Json(&job.work))
            .bind(job.cluster.map(|id| id.0))
            .bind(&job.concurrency_key)
            .bind(job.at.as_micros())
            .bind(job.retry_of.map(|id| id.0))
            .bind(&job.created_by)
            .execute(conn)
            .await
            .map(drop))
        .during("add a job")
    }

    /// One job.
    pub async fn job(&mut self, id: JobId) -> Result<Option<JobRow>, StoreError> {
        on!(self, conn => sqlx::query_as(ONE).bind(id.0).fetch_optional(conn).await).during("read a job")
    }

    /// Newest first, at most `limit`.
    pub async fn jobs_page(&mut self, filter: &JobFilter, limit: i64) -> Result<Vec<JobRow>, StoreError> {
        on!(self, conn => sqlx::query_as(PAGE)
            .bind(filter.before.map(|id| id.0))
            .bind(&filter.kind)
            .bind(&filter.state)
            .bind(filter.cluster.map(|id| id.0))
            .bind(limit)
            .fetch_all(conn)
            .await)
        .during("list jobs")
    }

    /// The clusters with a discovery that has not ended, and its job.
    pub async fn open_discoveries(&mut self) -> Result<Vec<(ClusterId, JobId)>, StoreError> {
        let found: Vec<(Uuid, Uuid)> =
            on!(self, conn => sqlx::query_as(OPEN_DISCOVERIES).fetch_all(conn).await).during("look for discoveries")?;
        Ok(found
            .into_iter()
            .map(|(cluster, job)| (ClusterId(cluster), JobId(job)))
            .collect())
    }

    /// The oldest job with this key that has not ended and is not being stopped.
    pub async fn open_job_with_key(&mut self, key: &str) -> Result<Option<JobId>, StoreError> {
        let id: Option<Uuid> = on!(self, conn => sqlx::query_scalar(OPEN_BY_KEY).bind(key).fetch_optional(conn).await)
            .during("look for a job")?;
        Ok(id.map(JobId))
    }

    /// Forgets jobs that ended before `moment`, with their targets and logs.
    pub async fn drop_jobs_before(&mut self, moment: Timestamp) -> Result<u64, StoreError> {
        on!(self, conn => sqlx::query(DROP_BEFORE)
            .bind(moment.as_micros())
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))
        .during("drop old jobs")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;
    use crate::job_targets::NewTarget;
    use crate::testing::{both, fleet};
    use muster_domain::{GuestId, TargetId};

    pub(super) fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    pub(super) fn new_job(id: u128, key: Option<&str>) -> NewJob {
        NewJob {
            id: JobId(Uuid::from_u128(id)),
            kind: "scan",
            title: "Scan 1 guest".to_owned(),
            work: serde_json::json!({ "kind": "scan" }),
            cluster: None,
            concurrency_key: key.map(str::to_owned),
            retry_of: None,
            at: at(10),
            created_by: "anna".to_owned(),
        }
    }

    pub(super) async fn with_jobs(store: &Store, jobs: &[NewJob]) {
        let added: Result<(), StoreError> = crate::write!(store, tx => {
            for job in jobs {
                tx.insert_job(job).await?;
            }
            Ok(())
        });
        added.expect("adds");
    }

    both! {
        async fn pages_are_filtered_and_count_targets(store: &Store) {
            let mut discover = new_job(6, None);
            discover.kind = "discover";
            discover.cluster = Some(ClusterId(Uuid::from_u128(1)));
            let target = |id: u128, skipped| NewTarget {
                id: TargetId(Uuid::from_u128(id)),
                guest: Some(GuestId(Uuid::from_u128(3))),
                name: "a".to_owned(),
                skipped,
            };
            let skipped = Some(("stopped".to_owned(), "It is stopped.".to_owned()));
            let targets = [target(30, None), target(31, skipped)];
            let added: Result<(), StoreError> = crate::write!(store, tx => {
                tx.insert_cluster(&fleet::cluster(1, "a")).await?;
                tx.insert_node(&fleet::node(2, 1, "pve1")).await?;
                tx.insert_guest(&fleet::guest(3, 1, 2, 100)).await?;
                tx.insert_job(&new_job(5, None)).await?;
                tx.insert_job(&discover).await?;
                tx.insert_targets(JobId(Uuid::from_u128(5)), &targets, at(10)).await
            });
            added.expect("adds");
            let mut tx = store.read().await.expect("reads");
            let ids = |rows: Vec<JobRow>| rows.into_iter().map(|row| row.id.as_u128()).collect::<Vec<_>>();
            let all = JobFilter::default();
            assert_eq!(ids(tx.jobs_page(&all, 10).await.expect("reads")), [6, 5]);
            assert_eq!(ids(tx.jobs_page(&all, 1).await.expect("reads")), [6]);
            let older = JobFilter { before: Some(JobId(Uuid::from_u128(6))), ..JobFilter::default() };
            assert_eq!(ids(tx.jobs_page(&older, 10).await.expect("reads")), [5]);
            let scans = JobFilter { kind: Some("scan".to_owned()), ..JobFilter::default() };
            assert_eq!(ids(tx.jobs_page(&scans, 10).await.expect("reads")), [5]);
            let running = JobFilter { state: Some("running".to_owned()), ..JobFilter::default() };
            assert_eq!(ids(tx.jobs_page(&running, 10).await.expect("reads")), [0_u128; 0]);
            let cluster = JobFilter { cluster: discover.cluster, ..JobFilter::default() };
            assert_eq!(ids(tx.jobs_page(&cluster, 10).await.expect("reads")), [6]);
            let row = tx.job(JobId(Uuid::from_u128(5))).await.expect("reads").expect("exists");
            assert_eq!(row.tally(), Tally { open: 1, skipped: 1, ..Tally::default() });
        }
    }
}
