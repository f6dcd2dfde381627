//! Writing a backup.

use std::io::Write;

use futures::TryStreamExt as _;
use muster_domain::Timestamp;
use serde::Serialize;
use sqlx::AssertSqlSafe;

use super::columns::Column;
use super::{BackupError, Ending, FORMAT, Header, TABLES, TableHead};
use crate::Store;
use crate::error::During as _;
use crate::tx::{Tx, on};

impl Store {
    /// Writes everything that must last, as it stands at this moment; a server may go on with the database meanwhile.
    /// Answers how many rows there are.
    pub async fn back_up(&self, now: Timestamp, program: &str, file: &mut impl Write) -> Result<u64, BackupError> {
        let version = self.table_version().await;
        if version != self.newest_version() {
            return Err(BackupError::NotUpToDate);
        }
        let mut tx = self.read().await?;
        let header = Header {
            format: FORMAT,
            program: program.to_owned(),
            tables_version: version,
            created_at: now.as_micros(),
            newest_event: tx.event_bounds().await?.map_or(0, |(_, newest)| newest),
        };
        line(file, &header)?;
        let mut rows = 0;
        for table in TABLES {
            rows += tx.save_table(table, file).await?;
        }
        line(file, &Ending { rows })?;
        Ok(rows)
    }
}

impl Tx {
    async fn save_table(&mut self, table: &str, file: &mut impl Write) -> Result<u64, BackupError> {
        let columns = self.columns(table).await?;
        let head = TableHead {
            table: table.to_owned(),
            columns: columns.iter().map(|column| column.name.clone()).collect(),
        };
        line(file, &head)?;
        let query = select(table, &columns, self.is_postgres());
        on!(self, conn => {
            let mut rows = sqlx::query_scalar::<_, String>(AssertSqlSafe(query)).fetch(conn);
            let mut count = 0;
            while let Some(row) = rows.try_next().await.during("read a table for a backup")? {
                writeln!(file, "{row}")?;
                count += 1;
            }
            Ok(count)
        })
    }
}

/// Every row of a table as one JSON list of texts. Sorted by the first column, which grows with time where rows refer to
/// earlier ones of the same table.
fn select(table: &str, columns: &[Column], is_postgres: bool) -> String {
    let values = columns.iter().map(Column::as_text).collect::<Vec<_>>().join(", ");
    let first = columns.first().map_or("1", |column| &column.name);
    let list = if is_postgres {
        format!("json_build_array({values})::text")
    } else {
        format!("json_array({values})")
    };
    format!("SELECT {list} FROM {table} ORDER BY {first}")
}

fn line(file: &mut impl Write, value: &impl Serialize) -> Result<(), BackupError> {
    serde_json::to_writer(&mut *file, value).map_err(std::io::Error::from)?;
    file.write_all(b"\n")?;
    Ok(())
}
