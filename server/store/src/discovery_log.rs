//! What each discovery found. A row is written when something changed or somebody asked.

use muster_domain::{ClusterId, Timestamp};
use sqlx::types::Json;
use uuid::Uuid;

use crate::error::{During as _, StoreError};
use crate::tx::{Tx, on};

const INSERT: &str = "INSERT INTO proxmox_discovery_log \
    (id, cluster_id, started_at, duration_ms, started_by, nodes_found, guests_found, appeared, changed, gone, errors) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
const PAGE: &str = "SELECT * FROM proxmox_discovery_log WHERE cluster_id = $1 AND ($2 IS NULL OR id < $2) \
    ORDER BY id DESC LIMIT $3";
const DROP_BEFORE: &str = "DELETE FROM proxmox_discovery_log WHERE started_at < $1";

/// One discovery. Ids are UUIDv7, so that their order is the order of time.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct DiscoveryRow {
    /// Its id.
    pub id: Uuid,
    /// The cluster.
    pub cluster_id: Uuid,
    /// When it began, microseconds since 1970.
    pub started_at: i64,
    /// How long it took.
    pub duration_ms: i64,
    /// `request`, `schedule` or `added`.
    pub started_by: String,
    /// Nodes in the listing.
    pub nodes_found: i64,
    /// Guests in the listing.
    pub guests_found: i64,
    /// What was seen for the first time, or again: array of objects with `kind`, `name` and, for guests, `vmid`.
    pub appeared: Json<serde_json::Value>,
    /// What changed: as above, with `facts`, the names of what changed.
    pub changed: Json<serde_json::Value>,
    /// What is no longer there: as `appeared`.
    pub gone: Json<serde_json::Value>,
    /// What could not be read: array of objects with `node`, `code` and `detail`.
    pub errors: Json<serde_json::Value>,
}

impl Tx {
    /// Adds a row.
    pub async fn log_discovery(&mut self, row: &DiscoveryRow) -> Result<(), StoreError> {
        on!(self, conn => sqlx::query(INSERT)
            .bind(row.id)
            .bind(row.cluster_id)
            .bind(row.started_at)
            .bind(row.duration_ms)
            .bind(&row.started_by)
            .bind(row.nodes_found)
            .bind(row.guests_found)
            .bind(&row.appeared)
            .bind(&row.changed)
            .bind(&row.gone)
            .bind(&row.errors)
            .execute(conn)
            .await
            .map(drop))
        .during("log a discovery")
    }

    /// A cluster's discoveries, newest first, at most `limit`, those before `before`.
    pub async fn discoveries(
        &mut self,
        cluster: ClusterId,
        before: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<DiscoveryRow>, StoreError> {
        on!(self, conn => sqlx::query_as(PAGE).bind(cluster.0).bind(before).bind(limit).fetch_all(conn).await)
            .during("read the discovery log")
    }

    /// Forgets discoveries that began before `moment`.
    pub async fn drop_discoveries_before(&mut self, moment: Timestamp) -> Result<u64, StoreError> {
        on!(self, conn => sqlx::query(DROP_BEFORE)
            .bind(moment.as_micros())
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))
        .during("drop old discoveries")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;
    use crate::testing::{both, fleet};

    fn row(id: u128) -> DiscoveryRow {
        DiscoveryRow {
            id: Uuid::from_u128(id),
            cluster_id: Uuid::from_u128(1),
            started_at: i64::try_from(id).expect("small"),
            duration_ms: 12,
            started_by: "request".to_owned(),
            nodes_found: 1,
            guests_found: 2,
            appeared: Json(serde_json::json!([{"kind": "lxc", "vmid": 100}])),
            changed: Json(serde_json::json!([])),
            gone: Json(serde_json::json!([])),
            errors: Json(serde_json::json!([])),
        }
    }

    both! {
        async fn discoveries_come_newest_first_and_in_pages(store: &Store) {
            let written: Result<u64, StoreError> = crate::write!(store, tx => {
                tx.insert_cluster(&fleet::cluster(1, "a")).await?;
                for id in [11, 12, 13, 14] {
                    tx.log_discovery(&row(id)).await?;
                }
                tx.drop_discoveries_before(Timestamp::from_micros(12)).await
            });
            assert_eq!(written.expect("writes"), 1);
            let mut tx = store.read().await.expect("reads");
            let cluster = ClusterId(Uuid::from_u128(1));
            let first = tx.discoveries(cluster, None, 2).await.expect("reads");
            assert_eq!(first, [row(14), row(13)]);
            let rest = tx.discoveries(cluster, Some(first[1].id), 2).await.expect("reads");
            assert_eq!(rest, [row(12)]);
        }
    }
}
