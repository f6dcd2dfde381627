//! Restoring a backup.

use std::io::BufRead;

use muster_domain::Timestamp;
use serde::de::DeserializeOwned;
use sqlx::AssertSqlSafe;

use super::columns::{Column, source};
use super::{BackupError, Ending, FORMAT, Header, TABLES, TableHead};
use crate::Store;
use crate::error::{During as _, StoreError};
use crate::tx::{Tx, on};

/// Rows that go to the database at once.
const BATCH: usize = 500;
/// Further than any stream can have followed the old database since the backup, so that each reads everything anew.
const EVENTS_AHEAD: i64 = 1_000_000_000;

const END_TARGETS: &str = "UPDATE job_targets SET state = 'cancelled', reason_code = 'restored', reason_detail = $1, \
    finished_at = $2 WHERE state IN ('queued', 'running', 'waiting')";
const END_JOBS: &str = "UPDATE jobs SET state = 'cancelled', reason_code = 'restored', reason_detail = $1, \
    finished_at = $2, lease_owner = NULL, lease_until = NULL WHERE state IN ('queued', 'running')";
const END_ENROLLING: &str = "UPDATE guests SET agent_state = CASE WHEN EXISTS \
    (SELECT 1 FROM agents a WHERE a.guest_id = guests.id) THEN 'offline' ELSE 'none' END WHERE agent_state = 'enrolling'";
const END_REASON: &str = "The database was restored from a backup that was taken while this was under way.";
const EVENT_SQLITE: &str = "INSERT INTO events (seq, at, kind, facts) VALUES ($1, $2, 'store.restored', '{}')";
const EVENT_POSTGRES: &str = "INSERT INTO events (seq, at, kind, facts) OVERRIDING SYSTEM VALUE \
    VALUES ($1, $2, 'store.restored', '{}')";
const EVENT_NUMBERS: &str = "SELECT setval(pg_get_serial_sequence('events', 'seq'), $1)";

/// What was restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The backup's first line.
    pub header: Header,
    /// Rows of all tables.
    pub rows: u64,
    /// Jobs that had not ended when the backup was taken. They are cancelled.
    pub ended_jobs: u64,
}

impl Store {
    /// Fills an empty database from a backup and brings its tables up to date. Either all of it lasts or nothing.
    pub async fn restore(&self, now: Timestamp, file: impl BufRead) -> Result<Restored, BackupError> {
        let mut lines = Lines { file, number: 0 };
        let header = header(&mut lines)?;
        if header.tables_version > self.newest_version() || header.format > FORMAT {
            return Err(BackupError::Newer {
                program: header.program,
            });
        }
        let found = self.table_version().await;
        if found != 0 && found != header.tables_version {
            return Err(BackupError::OtherTables);
        }
        self.migrate_to(header.tables_version).await?;
        let mut tx = self.begin().await?;
        tx.must_be_empty().await?;
        let rows = tx.load_tables(&mut lines).await?;
        let ended_jobs = tx.end_open_work(now).await?;
        tx.number_events_from(header.newest_event + EVENTS_AHEAD, now).await?;
        tx.commit().await?;
        self.migrate().await?;
        Ok(Restored {
            header,
            rows,
            ended_jobs,
        })
    }
}

impl Tx {
    async fn must_be_empty(&mut self) -> Result<(), BackupError> {
        for table in TABLES {
            let query = format!("SELECT COUNT(*) FROM (SELECT 1 FROM {table} LIMIT 1) AS rows");
            let some: i64 = on!(self, conn => sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(conn).await)
                .during("look whether a table is empty")?;
            if some > 0 {
                return Err(BackupError::NotEmpty { table });
            }
        }
        Ok(())
    }

    /// Reads tables until the last line. Answers the number of rows.
    async fn load_tables(&mut self, lines: &mut Lines<impl BufRead>) -> Result<u64, BackupError> {
        let mut rows = 0;
        let mut line = lines.next()?;
        loop {
            if let Ok(ending) = serde_json::from_str::<Ending>(&line) {
                return if ending.rows == rows {
                    Ok(rows)
                } else {
                    Err(lines.damaged(format!("{} rows are announced, {rows} were there", ending.rows)))
                };
            }
            let head: TableHead = lines.parse(&line)?;
            let Some(insert) = self.insert(&head).await? else {
                return Err(lines.damaged(format!("there is no table {} with these columns", head.table)));
            };
            let (count, next) = self.load_rows(&insert, lines).await?;
            rows += count;
            line = next;
        }
    }

    /// Inserts the rows that follow. Answers their number, and the first line that is none.
    async fn load_rows(&mut self, insert: &str, lines: &mut Lines<impl BufRead>) -> Result<(u64, String), BackupError> {
        let (mut count, mut batch) = (0, Vec::new());
        loop {
            let line = lines.next()?;
            let is_row = line.starts_with('[');
            if batch.len() == BATCH || !is_row && !batch.is_empty() {
                self.insert_batch(insert, &batch).await?;
                batch.clear();
            }
            if !is_row {
                return Ok((count, line));
            }
            lines.parse::<Vec<Option<String>>>(&line)?;
            count += 1;
            batch.push(line);
        }
    }

    async fn insert_batch(&mut self, insert: &str, rows: &[String]) -> Result<(), StoreError> {
        let list = format!("[{}]", rows.join(","));
        on!(self, conn => sqlx::query(AssertSqlSafe(insert)).bind(list).execute(conn).await.map(drop))
            .during("restore rows of a backup")
    }

    /// The statement that inserts a list of rows; `None` when the database has no such table or column. So no name of the
    /// file gets into a statement unchecked.
    async fn insert(&mut self, head: &TableHead) -> Result<Option<String>, StoreError> {
        let Some(table) = TABLES.iter().find(|table| **table == head.table) else {
            return Ok(None);
        };
        let known = self.columns(table).await?;
        let column = |name: &String| known.iter().find(|column| column.name == *name);
        let columns: Option<Vec<&Column>> = head.columns.iter().map(column).collect();
        let is_postgres = self.is_postgres();
        Ok(columns.map(|columns| insert(table, &columns, is_postgres)))
    }

    /// Work that was under way must not go on as if no time had passed. Answers the number of jobs.
    async fn end_open_work(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        on!(self, conn => sqlx::query(END_ENROLLING).execute(conn).await.map(drop))
            .during("end the enrolments of a restored backup")?;
        let mut ended = 0;
        for query in [END_TARGETS, END_JOBS] {
            ended = on!(self, conn => sqlx::query(query)
                .bind(END_REASON)
                .bind(now.as_micros())
                .execute(conn)
                .await
                .map(|done| done.rows_affected()))
            .during("end the work of a restored backup")?;
        }
        Ok(ended)
    }

    async fn number_events_from(&mut self, seq: i64, now: Timestamp) -> Result<(), StoreError> {
        let insert = if self.is_postgres() {
            EVENT_POSTGRES
        } else {
            EVENT_SQLITE
        };
        on!(self, conn => sqlx::query(insert).bind(seq).bind(now.as_micros()).execute(conn).await.map(drop))
            .during("note the restore")?;
        if self.is_postgres() {
            on!(self, conn => sqlx::query(EVENT_NUMBERS).bind(seq).execute(conn).await.map(drop))
                .during("set the number of the next event")?;
        }
        Ok(())
    }
}

fn insert(table: &str, columns: &[&Column], is_postgres: bool) -> String {
    let names: Vec<_> = columns.iter().map(|column| format!("\"{}\"", column.name)).collect();
    let values = columns.iter().enumerate();
    let values: Vec<_> = values
        .map(|(place, column)| column.of_text(place, is_postgres))
        .collect();
    let (names, values, source) = (names.join(", "), values.join(", "), source(is_postgres));
    format!("INSERT INTO {table} ({names}) SELECT {values} FROM {source}")
}

fn header(lines: &mut Lines<impl BufRead>) -> Result<Header, BackupError> {
    let first = match lines.next() {
        Err(BackupError::CutShort { .. }) => return Err(BackupError::NoBackup),
        other => other?,
    };
    serde_json::from_str(&first).map_err(|_| BackupError::NoBackup)
}

/// The lines of a backup, counted.
struct Lines<F> {
    file: F,
    number: u64,
}

impl<F: BufRead> Lines<F> {
    fn next(&mut self) -> Result<String, BackupError> {
        let mut line = String::new();
        if self.file.read_line(&mut line)? == 0 || !line.ends_with('\n') {
            return Err(BackupError::CutShort { line: self.number });
        }
        self.number += 1;
        Ok(line)
    }

    fn parse<T: DeserializeOwned>(&self, line: &str) -> Result<T, BackupError> {
        serde_json::from_str(line).map_err(|error| self.damaged(error.to_string()))
    }

    fn damaged(&self, what: String) -> BackupError {
        BackupError::Damaged {
            line: self.number,
            what,
        }
    }
}
