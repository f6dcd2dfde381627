//! Looking for rows that contradict each other. Every check is one statement that finds the rows at fault; whether something is
//! late is judged by moments that the caller hands in, so that the usual work of a running server is not at fault.

mod dangling;
mod fleet;
mod kept;
#[cfg(test)]
mod tests;
mod work;

use muster_domain::Timestamp;
use muster_domain::inconsistency::Inconsistency;
use uuid::Uuid;

use crate::error::{During as _, StoreError};
use crate::tx::{Tx, on};

/// Rows that are named for each fault; the others are counted.
const NAMED: u64 = 5;

/// The moments and limits that rows are judged by.
#[derive(Debug, Clone, Copy)]
pub struct Judgement {
    /// Now.
    pub now: Timestamp,
    /// What has been due since then, a running server would have done.
    pub settled: Timestamp,
    /// What is due by then is not asleep.
    pub soon: Timestamp,
    /// So many jobs run at once; further ones wait rightly.
    pub jobs_at_once: i64,
    /// The owner of the server's own secrets.
    pub server: Uuid,
    /// What older rows should have been dropped.
    pub dropped: Dropped,
}

/// The moments before which rows of each kind should have been dropped.
#[derive(Debug, Clone, Copy)]
pub struct Dropped {
    /// Audit entries.
    pub audit: Timestamp,
    /// Ended jobs.
    pub jobs: Timestamp,
    /// Lines of the logs of ended jobs.
    pub logs: Timestamp,
    /// Discoveries.
    pub discoveries: Timestamp,
    /// Events.
    pub events: Timestamp,
    /// Kept answers.
    pub answers: Timestamp,
    /// Requests with an Idempotency-Key that were never answered.
    pub abandoned: Timestamp,
    /// Commands that are over, and enrolments that have expired.
    pub commands: Timestamp,
    /// Sessions by their last use, and failed sign-ins.
    pub idle: Timestamp,
    /// Sessions and links by their end.
    pub ended: Timestamp,
}

/// Rows of one table with the same fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What is wrong.
    pub fault: Inconsistency,
    /// The table.
    pub table: &'static str,
    /// How many rows.
    pub found: u64,
    /// The first few of them.
    pub rows: Vec<FaultyRow>,
}

/// One of the rows.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct FaultyRow {
    /// Its id, or that of what it belongs to.
    pub id: Option<Uuid>,
    /// What people know it by.
    pub name: Option<String>,
}

/// One thing that is looked for.
struct Check {
    fault: Inconsistency,
    table: &'static str,
    /// Selects `found`, `id` and `name`; made by [`check!`].
    statement: &'static str,
}

#[derive(sqlx::FromRow)]
struct CheckedRow {
    found: i64,
    #[sqlx(flatten)]
    row: FaultyRow,
}

/// A check. `$select` names `id` and `name` and has `j` (for judgement) in its `FROM`.
macro_rules! check {
    ($fault:ident, $table:literal, $($select:literal),+ $(,)?) => {
        $crate::inspect::Check {
            fault: muster_domain::inconsistency::Inconsistency::$fault,
            table: $table,
            statement: concat!(
                "WITH j AS (SELECT $1 AS now, $2 AS settled, $3 AS soon, $4 AS jobs_at_once, $5 AS server, $6 AS audit, ",
                "$7 AS jobs, $8 AS logs, $9 AS discoveries, $10 AS events, $11 AS answers, $12 AS abandoned, $13 AS commands, ",
                "$14 AS idle, $15 AS ended) SELECT COUNT(*) OVER () AS found, ",
                $($select,)+
                " ORDER BY id, name LIMIT $16"
            ),
        }
    };
}
use check;

impl Tx {
    /// All rows at fault, in the order of the checks.
    pub async fn inspect(&mut self, judgement: &Judgement) -> Result<Vec<Finding>, StoreError> {
        let mut findings = Vec::new();
        let checks = work::CHECKS
            .iter()
            .chain(fleet::CHECKS)
            .chain(kept::CHECKS)
            .chain(dangling::CHECKS);
        for check in checks {
            findings.extend(self.check(check, judgement).await?);
        }
        Ok(findings)
    }

    async fn check(&mut self, check: &Check, judgement: &Judgement) -> Result<Option<Finding>, StoreError> {
        let Judgement { dropped, .. } = judgement;
        let rows: Vec<CheckedRow> = on!(self, conn => sqlx::query_as(check.statement)
            .bind(judgement.now.as_micros())
            .bind(judgement.settled.as_micros())
            .bind(judgement.soon.as_micros())
            .bind(judgement.jobs_at_once)
            .bind(judgement.server)
            .bind(dropped.audit.as_micros())
            .bind(dropped.jobs.as_micros())
            .bind(dropped.logs.as_micros())
            .bind(dropped.discoveries.as_micros())
            .bind(dropped.events.as_micros())
            .bind(dropped.answers.as_micros())
            .bind(dropped.abandoned.as_micros())
            .bind(dropped.commands.as_micros())
            .bind(dropped.idle.as_micros())
            .bind(dropped.ended.as_micros())
            .bind(NAMED.cast_signed())
            .fetch_all(conn)
            .await)
        .during("look for contradictions")?;
        let found = rows.first().map(|row| row.found);
        Ok(found.map(|found| Finding {
            fault: check.fault,
            table: check.table,
            found: found.cast_unsigned(),
            rows: rows.into_iter().map(|checked| checked.row).collect(),
        }))
    }
}
