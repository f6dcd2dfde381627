//! The logs of jobs: numbered lines that are only ever added.

use muster_domain::{JobId, TargetId, Timestamp};
use uuid::Uuid;

use crate::error::{During as _, StoreError};
use crate::tx::{Tx, on};

const APPEND: &str = "INSERT INTO job_log (job_id, n, at, level, target_id, text) \
    SELECT $1, COALESCE(MAX(n), 0) + 1, $2, $3, $4, $5 FROM job_log WHERE job_id = $1 RETURNING n";
const AFTER: &str = "SELECT l.n, l.at, l.level, l.target_id, l.text FROM job_log l \
    WHERE l.job_id = $1 AND l.n > $2 ORDER BY l.n LIMIT $3";
const DROP_BEFORE: &str = "DELETE FROM job_log WHERE job_id IN (SELECT id FROM jobs WHERE finished_at < $1)";

/// One line.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct LogRow {
    /// Its number in the job, from 1, without gaps.
    pub n: i64,
    /// When it was written, microseconds since 1970.
    pub at: i64,
    /// `info`, `warning` or `error`.
    pub level: String,
    /// The target it is about.
    pub target_id: Option<Uuid>,
    /// What happened.
    pub text: String,
}

impl Tx {
    /// Adds a line and answers its number.
    pub async fn append_log(
        &mut self,
        job: JobId,
        at: Timestamp,
        level: &str,
        target: Option<TargetId>,
        text: &str,
    ) -> Result<i64, StoreError> {
        on!(self, conn => sqlx::query_scalar(APPEND)
            .bind(job.0)
            .bind(at.as_micros())
            .bind(level)
            .bind(target.map(|id| id.0))
            .bind(text)
            .fetch_one(conn)
            .await)
        .during("write a job's log")
    }

    /// Lines after number `n`, at most `limit`.
    pub async fn log_after(&mut self, job: JobId, n: i64, limit: i64) -> Result<Vec<LogRow>, StoreError> {
        on!(self, conn => sqlx::query_as(AFTER).bind(job.0).bind(n).bind(limit).fetch_all(conn).await)
            .during("read a job's log")
    }

    /// Forgets the lines of jobs that ended before `moment`.
    pub async fn drop_logs_before(&mut self, moment: Timestamp) -> Result<u64, StoreError> {
        on!(self, conn => sqlx::query(DROP_BEFORE)
            .bind(moment.as_micros())
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))
        .during("drop old logs")
    }
}
