//! The audit log: written in the transaction of the change it tells of, never changed, dropped by age only.

use muster_domain::Timestamp;
use sqlx::types::Json;
use uuid::Uuid;

use crate::error::{During as _, StoreError};
use crate::tx::{Tx, on};

const RECORD: &str = "INSERT INTO audit \
    (id, at, actor_kind, actor_id, actor_name, action, target_kind, target_id, target_name, detail, request_id) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
const PAGE: &str = "SELECT id, at, actor_kind, actor_id, actor_name, action, target_kind, target_id, target_name, \
    detail, request_id FROM audit WHERE $1 IS NULL OR id < $1 ORDER BY id DESC LIMIT $2";
const DROP_BEFORE: &str = "DELETE FROM audit WHERE at < $1";

/// One entry. Ids are UUIDv7, so that their order is the order of time.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct AuditRow {
    /// The entry's id.
    pub id: Uuid,
    /// When, microseconds since 1970.
    pub at: i64,
    /// `user`, `token`, `agent`, `system` or `command_line`.
    pub actor_kind: String,
    /// The actor's id, where it has one.
    pub actor_id: Option<Uuid>,
    /// The actor's name at that time.
    pub actor_name: String,
    /// What was done, e.g. `cluster.add`.
    pub action: String,
    /// Kind of thing it was done to, e.g. `cluster`.
    pub target_kind: String,
    /// The thing's id.
    pub target_id: Option<Uuid>,
    /// The thing's name at that time.
    pub target_name: String,
    /// What else is worth knowing; never a secret.
    pub detail: Json<serde_json::Value>,
    /// The request that caused it.
    pub request_id: Option<Uuid>,
}

impl Tx {
    /// Adds an entry.
    pub async fn record_audit(&mut self, entry: &AuditRow) -> Result<(), StoreError> {
        on!(self, conn => sqlx::query(RECORD)
            .bind(entry.id)
            .bind(entry.at)
            .bind(&entry.actor_kind)
            .bind(entry.actor_id)
            .bind(&entry.actor_name)
            .bind(&entry.action)
            .bind(&entry.target_kind)
            .bind(entry.target_id)
            .bind(&entry.target_name)
            .bind(&entry.detail)
            .bind(entry.request_id)
            .execute(conn)
            .await
            .map(drop))
        .during("write the audit log")
    }

    /// Newest first, at most `limit`, those before entry `before`.
    pub async fn audit_page(&mut self, before: Option<Uuid>, limit: i64) -> Result<Vec<AuditRow>, StoreError> {
        on!(self, conn => sqlx::query_as(PAGE).bind(before).bind(limit).fetch_all(conn).await)
            .during("read the audit log")
    }

    /// Forgets entries older than `moment`.
    pub async fn drop_audit_before(&mut self, moment: Timestamp) -> Result<u64, StoreError> {
        on!(self, conn => sqlx::query(DROP_BEFORE)
            .bind(moment.as_micros())
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))
        .during("drop old audit entries")
    }
}
