//! The columns of a table as the database itself describes them, and how a value of each kind becomes text and back.

use sqlx::AssertSqlSafe;

use crate::error::{During as _, StoreError};
use crate::tx::{Tx, on};

const OF_SQLITE: &str = "SELECT name, lower(type) FROM pragma_table_info($1) ORDER BY cid";
const OF_POSTGRES: &str = "SELECT column_name::text, data_type::text FROM information_schema.columns \
    WHERE table_schema = current_schema() AND table_name = $1 ORDER BY ordinal_position";

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    /// Its name.
    pub(super) name: String,
    kind: String,
}

impl Column {
    /// An SQL expression of its value as text.
    pub(super) fn as_text(&self) -> String {
        let name = format!("\"{}\"", self.name);
        match self.kind.as_str() {
            // SQLite's functions make something of null.
            "blob" => format!("CASE WHEN {name} IS NOT NULL THEN lower(hex({name})) END"),
            "bytea" => format!("encode({name}, 'hex')"),
            "uuid" => format!("replace({name}::text, '-', '')"),
            "boolean" => format!("{name}::int::text"),
            // 17 digits name every number exactly.
            "real" => format!("CASE WHEN {name} IS NOT NULL THEN printf('%!.17g', {name}) END"),
            _ => format!("CAST({name} AS TEXT)"),
        }
    }

    /// An SQL expression of its value, made of the text at `place` of a row of [`source`].
    pub(super) fn of_text(&self, place: usize, is_postgres: bool) -> String {
        let text = if is_postgres {
            format!("(value->>{place})")
        } else {
            format!("json_extract(value, '$[{place}]')")
        };
        match self.kind.as_str() {
            "text" => text,
            "blob" => format!("unhex({text})"),
            "bytea" => format!("decode({text}, 'hex')"),
            kind => format!("CAST({text} AS {kind})"),
        }
    }
}

/// What rows given as one JSON list of lists are selected from.
pub(super) fn source(is_postgres: bool) -> &'static str {
    if is_postgres {
        "json_array_elements($1::json) AS rows (value)"
    } else {
        "json_each($1)"
    }
}

impl Tx {
    /// The columns of a table in their order; none when there is no such table.
    pub(super) async fn columns(&mut self, table: &str) -> Result<Vec<Column>, StoreError> {
        let query = if self.is_postgres() { OF_POSTGRES } else { OF_SQLITE };
        let found: Vec<(String, String)> =
            on!(self, conn => sqlx::query_as(AssertSqlSafe(query)).bind(table).fetch_all(conn).await)
                .during("read the columns of a table")?;
        Ok(found.into_iter().map(|(name, kind)| Column { name, kind }).collect())
    }
}
