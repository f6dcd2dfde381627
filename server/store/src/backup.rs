//! Backups: every table that must last as lines of text, the same for both databases, so that a backup taken on one can be
//! restored on the other. Sealed secrets stay sealed; the key is never part of it.
//!
//! The file is lines of JSON. The first is the [`Header`]; a `TableHead` announces each table's rows, which follow as
//! lists of texts and nulls in the order of its columns (bytes and ids in hexadecimal, truth as 0 and 1); the last line is
//! the `Ending`, without which the file was cut short.

mod columns;
mod load;
mod save;

use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::open::OpenError;

pub use load::Restored;

/// The form of backups that this program writes and reads.
const FORMAT: u32 = 1;

/// What is kept, each table after those that it refers to.
const TABLES: [&str; 16] = [
    "settings",
    "audit",
    "secrets",
    "users",
    "tokens",
    "proxmox_clusters",
    "proxmox_nodes",
    "guests",
    "proxmox_discovery_log",
    "jobs",
    "job_targets",
    "job_log",
    "agents",
    "scans",
    "updates",
    "console_changes",
];

/// What is not kept: it serves the running server or one sign-in, and is worth nothing or is dangerous later. A command or
/// an enrolment in particular must not come to life a second time.
#[cfg(test)]
const LEFT_OUT: [&str; 9] = [
    "commands",
    "enrolments",
    "events",
    "guest_locks",
    "idempotency",
    "one_time_links",
    "server_lease",
    "sessions",
    "sign_in_failures",
];

/// The first line of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The form of the file.
    #[serde(rename = "muster_backup")]
    pub format: u32,
    /// The program that wrote it.
    pub program: String,
    /// Its newest migration.
    pub tables_version: i64,
    /// Microseconds since 1970.
    pub created_at: i64,
    /// Number of the newest event. Streams that follow the old database must notice that this is another one.
    pub newest_event: i64,
}

/// The line before a table's rows.
#[derive(Debug, Serialize, Deserialize)]
struct TableHead {
    table: String,
    columns: Vec<String>,
}

/// The last line.
#[derive(Debug, Serialize, Deserialize)]
struct Ending {
    /// All rows of all tables.
    rows: u64,
}

/// Why a backup was not written or not restored. Nothing is left half restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The file cannot be read or written; a damaged compressed file is one of them.
    #[error("the backup file cannot be read or written")]
    File(#[from] std::io::Error),
    /// It does not begin like a backup.
    #[error("this is no backup of Muster")]
    NoBackup,
    /// A line means nothing.
    #[error("line {line} of the backup is damaged: {what}")]
    Damaged {
        /// Which, counted from 1.
        line: u64,
        /// What is wrong with it.
        what: String,
    },
    /// The file ends before its end.
    #[error("the backup is cut short after line {line}: its last line is missing")]
    CutShort {
        /// The last line that is there.
        line: u64,
    },
    /// It was written by a newer program.
    #[error("the backup was written by Muster {program}, which is newer than this program: restore it with that one")]
    Newer {
        /// Version of the program that wrote it.
        program: String,
    },
    /// The database has rows.
    #[error("the database is not empty ({table} has rows): a backup is restored into an empty one only")]
    NotEmpty {
        /// The first table with rows.
        table: &'static str,
    },
    /// It has no tables, or those of another program.
    #[error(
        "the database is empty or not of this version: check its address, back it up with the program it belongs to, \
         or run `muster migrate` first"
    )]
    NotUpToDate,
    /// It has tables of another version, if without rows.
    #[error("the database has tables already, of another version than the backup's: restore into one without tables")]
    OtherTables,
    /// The tables cannot be made.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[cfg(test)]
mod tests;
