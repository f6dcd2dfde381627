//! The nodes of all clusters.

use muster_domain::reach::{Packages, TokenConsole};
use muster_domain::{ClusterId, NodeId, Timestamp};
use sqlx::types::Json;
use uuid::Uuid;

use crate::error::{During as _, StoreError};
use crate::tx::{Tx, on};

const ALL: &str = "SELECT * FROM proxmox_nodes WHERE gone_at IS NULL ORDER BY name, id";
const OF_CLUSTER: &str = "SELECT * FROM proxmox_nodes WHERE cluster_id = $1 ORDER BY name";
const ONE: &str = "SELECT * FROM proxmox_nodes WHERE id = $1";
const INSERT: &str = "INSERT INTO proxmox_nodes (cluster_id, name, status, stale_since, address, version, cpus, \
    memory_total, updates_state, updates_total, updates_security, updates_reason, exec_endpoint, \
    exec_endpoint_version, details_at, first_seen_at, gone_at, packages, id) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)";
const UPDATE: &str = "UPDATE proxmox_nodes SET cluster_id = $1, name = $2, status = $3, stale_since = $4, \
    address = $5, version = $6, cpus = $7, memory_total = $8, updates_state = $9, updates_total = $10, \
    updates_security = $11, updates_reason = $12, exec_endpoint = $13, exec_endpoint_version = $14, \
    details_at = $15, first_seen_at = $16, gone_at = $17, packages = $18 WHERE id = $19";
const SET_EXEC_ENDPOINT: &str = "UPDATE proxmox_nodes SET exec_endpoint = $1, exec_endpoint_version = $2 WHERE id = $3";
const SET_TOKEN_CONSOLE: &str = "UPDATE proxmox_nodes SET token_console = $1, token_console_packages = $2, \
    token_console_at = $3 WHERE id = $4";

/// One node. Times are microseconds since 1970, sizes bytes.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct NodeRow {
    /// Its id.
    pub id: Uuid,
    /// Its cluster.
    pub cluster_id: Uuid,
    /// Its name in PVE; unique in the cluster.
    pub name: String,
    /// `online`, `offline` or `unknown`.
    pub status: String,
    /// Since when the values below are old.
    pub stale_since: Option<i64>,
    /// Its address inside the cluster, perhaps not reachable for us.
    pub address: Option<String>,
    /// Its own PVE version; mixed clusters exist.
    pub version: Option<String>,
    /// Processors.
    pub cpus: Option<i64>,
    /// Memory.
    pub memory_total: Option<i64>,
    /// State of the node's own package updates: `unknown`, `fresh`, `stale`, `failed` or `unsupported`.
    pub updates_state: String,
    /// How many wait; none unless fresh or stale.
    pub updates_total: Option<i64>,
    /// How many of them are security updates.
    pub updates_security: Option<i64>,
    /// Why the updates are not known.
    pub updates_reason: Option<String>,
    /// Whether the call that runs a command in a container exists there: `unknown`, `works` or `missing`.
    pub exec_endpoint: String,
    /// The node's version when that was found out.
    pub exec_endpoint_version: Option<String>,
    /// When version and updates were last read.
    pub details_at: Option<i64>,
    /// When a discovery first saw it.
    pub first_seen_at: i64,
    /// Since when it is no longer in the cluster.
    pub gone_at: Option<i64>,
    /// Its packages that decide whether tokens may use consoles.
    pub packages: Option<Json<Packages>>,
    /// What a try of a console with the token has shown: `unknown`, `works` or `refused`; written by a call of its own.
    pub token_console: String,
    /// The packages at that try.
    pub token_console_packages: Option<Json<Packages>>,
    /// When that was.
    pub token_console_at: Option<i64>,
}

impl Tx {
    /// The nodes of all clusters, without those that are gone.
    pub async fn nodes(&mut self) -> Result<Vec<NodeRow>, StoreError> {
        on!(self, conn => sqlx::query_as(ALL).fetch_all(conn).await).during("read the nodes")
    }

    /// All nodes of a cluster by name, also those that are gone.
    pub async fn nodes_of(&mut self, cluster: ClusterId) -> Result<Vec<NodeRow>, StoreError> {
        on!(self, conn => sqlx::query_as(OF_CLUSTER).bind(cluster.0).fetch_all(conn).await)
            .during("read a cluster's nodes")
    }

    /// One node.
    pub async fn node(&mut self, id: NodeId) -> Result<Option<NodeRow>, StoreError> {
        on!(self, conn => sqlx::query_as(ONE).bind(id.0).fetch_optional(conn).await).during("read a node")
    }

    /// Adds a node.
    pub async fn insert_node(&mut self, row: &NodeRow) -> Result<(), StoreError> {
        self.write_node(INSERT, row).await.during("add a node")
    }

    /// Writes every column of a node. Read it in the same transaction first.
    pub async fn save_node(&mut self, row: &NodeRow) -> Result<(), StoreError> {
        self.write_node(UPDATE, row).await.during("change a node")
    }

    /// Remembers whether the node runs commands in containers (`works` or `missing`), for its `version` only.
    pub async fn set_exec_endpoint(
        &mut self,
        node: NodeId,
        exec_endpoint: &str,
        version: Option<&str>,
    ) -> Result<(), StoreError> {
        on!(self, conn => sqlx::query(SET_EXEC_ENDPOINT)
            .bind(exec_endpoint)
            .bind(version)
            .bind(node.0)
            .execute(conn)
            .await
            .map(drop))
        .during("remember a node's exec endpoint")
    }

    /// Remembers what a try of a console with the token has shown, for these packages only.
    pub async fn set_token_console(
        &mut self,
        node: NodeId,
        shown: TokenConsole,
        packages: &Packages,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        on!(self, conn => sqlx::query(SET_TOKEN_CONSOLE)
            .bind(shown.as_str())
            .bind(Json(packages))
            .bind(at.as_micros())
            .bind(node.0)
            .execute(conn)
            .await
            .map(drop))
        .during("remember a node's token console")
    }

    async fn write_node(&mut self, statement: &'static str, row: &NodeRow) -> Result<(), sqlx::Error> {
        on!(self, conn => sqlx::query(statement)
            .bind(row.cluster_id)
            .bind(&row.name)
            .bind(&row.status)
            .bind(row.stale_since)
            .bind(&row.address)
            .bind(&row.version)
            .bind(row.cpus)
            .bind(row.memory_total)
            .bind(&row.updates_state)
            .bind(row.updates_total)
            .bind(row.updates_security)
            .bind(&row.updates_reason)
            .bind(&row.exec_endpoint)
            .bind(&row.exec_endpoint_version)
            .bind(row.details_at)
            .bind(row.first_seen_at)
            .bind(row.gone_at)
            .bind(&row.packages)
            .bind(row.id)
            .execute(conn)
            .await
            .map(drop))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;
    use crate::testing::{both, fleet};

    both! {
        async fn a_node_comes_back_as_it_was_written(store: &Store) {
            let mut row = fleet::node(2, 1, "pve1");
            let written: Result<(), StoreError> = crate::write!(store, tx => {
                tx.insert_cluster(&fleet::cluster(1, "a")).await?;
                tx.insert_node(&row).await
            });
            written.expect("adds");
            row.status = "offline".to_owned();
            row.memory_total = Some(1 << 40);
            let saved: Result<(), StoreError> = crate::write!(store, tx => { tx.save_node(&row).await });
            saved.expect("saves");
            let mut tx = store.read().await.expect("reads");
            assert_eq!(tx.node(NodeId(row.id)).await.expect("reads"), Some(row.clone()));
            assert_eq!(tx.nodes_of(ClusterId(row.cluster_id)).await.expect("reads"), [row.clone()]);
            assert_eq!(tx.nodes().await.expect("reads"), [row]);
        }

        async fn the_exec_endpoint_is_remembered_with_the_version(store: &Store) {
            let row = fleet::node(2, 1, "pve1");
            let written: Result<(), StoreError> = crate::write!(store, tx => {
                tx.insert_cluster(&fleet::cluster(1, "a")).await?;
                tx.insert_node(&row).await?;
                tx.set_exec_endpoint(NodeId(row.id), "missing", Some("9.1.9")).await
            });
            written.expect("writes");
            let mut tx = store.read().await.expect("reads");
            let found = tx.node(NodeId(row.id)).await.expect("reads").expect("exists");
            assert_eq!((found.exec_endpoint.as_str(), found.exec_endpoint_version.as_deref()), ("missing", Some("9.1.9")));
        }
    }
}
