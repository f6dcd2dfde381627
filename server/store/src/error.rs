//! What can go wrong in the store.

use std::error::Error as _;

/// A failed statement, or a row that does not mean anything.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused or could not be reached.
    #[error("the database failed to {operation}")]
    Database {
        /// What was being done, as a verb phrase.
        operation: &'static str,
        /// The driver's error.
        #[source]
        source: sqlx::Error,
    },
    /// A stored value has no meaning: the row was written by something else, or is damaged.
    #[error("{table}.{column} of {row} holds a value that means nothing: {value}")]
    Meaningless {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row's key.
        row: String,
        /// The value, shortened.
        value: String,
    },
}

impl StoreError {
    /// Whether the whole transaction may be run again: the database gave way to another writer.
    pub fn is_conflict(&self) -> bool {
        match self.database_code().as_deref() {
            // serialization_failure and deadlock_detected of PostgreSQL.
            Some("40001" | "40P01") => true,
            // SQLITE_BUSY and SQLITE_BUSY_SNAPSHOT.
            Some("5" | "517") => true,
            _ => false,
        }
    }

    /// Whether a row with the same unique key exists.
    pub fn is_unique_violation(&self) -> bool {
        matches!(self, StoreError::Database { source: sqlx::Error::Database(error), .. } if error.is_unique_violation())
    }

    fn database_code(&self) -> Option<String> {
        let source = self.source()?.downcast_ref::<sqlx::Error>()?;
        Some(source.as_database_error()?.code()?.into_owned())
    }
}

/// Names the operation that failed.
pub(crate) trait During<T> {
    /// `operation` completes the sentence "the database failed to …".
    fn during(self, operation: &'static str) -> Result<T, StoreError>;
}

impl<T> During<T> for Result<T, sqlx::Error> {
    fn during(self, operation: &'static str) -> Result<T, StoreError> {
        self.map_err(|source| StoreError::Database { operation, source })
    }
}
