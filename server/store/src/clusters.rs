//! The clusters somebody added. Their token secrets stand sealed in the table of secrets, not here.

use std::collections::BTreeMap;

use muster_domain::ClusterId;
use muster_domain::health::Reason;
use muster_domain::rights::Permissions;
use sqlx::types::Json;
use uuid::Uuid;

use crate::error::{During as _, StoreError};
use crate::tx::{Tx, on};

const ALL: &str = "SELECT * FROM proxmox_clusters ORDER BY name, id";
const ONE: &str = "SELECT * FROM proxmox_clusters WHERE id = $1";
const BY_NAME: &str = "SELECT id FROM proxmox_clusters WHERE lower(name) = lower($1)";
const INSERT: &str = "INSERT INTO proxmox_clusters (name, endpoints, token_id, tls_mode, accepted, fingerprints, \
    ca_pem, state_seconds, detail_seconds, paused, version, release, cluster_name, quorate, permissions, \
    last_discovered_at, error_code, error_detail, error_since, created_at, updated_at, health, login_user, id) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, \
    $23, $24)";
const UPDATE: &str = "UPDATE proxmox_clusters SET name = $1, endpoints = $2, token_id = $3, tls_mode = $4, \
    accepted = $5, fingerprints = $6, ca_pem = $7, state_seconds = $8, detail_seconds = $9, paused = $10, \
    version = $11, release = $12, cluster_name = $13, quorate = $14, permissions = $15, last_discovered_at = $16, \
    error_code = $17, error_detail = $18, error_since = $19, created_at = $20, updated_at = $21, \
    health = $22, login_user = $23 WHERE id = $24";
const DELETE: &str = "DELETE FROM proxmox_clusters WHERE id = $1";

/// One cluster. Times are microseconds since 1970.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct ClusterRow {
    /// Its id.
    pub id: Uuid,
    /// The name somebody gave it; unique without regard to case.
    pub name: String,
    /// API addresses, `https://host:port`, in the order they are tried.
    pub endpoints: Json<Vec<String>>,
    /// `user@realm!name`.
    pub token_id: String,
    /// `system`, `pinned` or `cluster_ca`.
    pub tls_mode: String,
    /// SHA-256 of the certificate somebody accepted, `AA:BB:…`; in mode `pinned`.
    pub accepted: Option<String>,
    /// SHA-256 of every node's certificate as the cluster itself told it.
    pub fingerprints: Json<BTreeMap<String, String>>,
    /// The cluster's own authority; in mode `cluster_ca`.
    pub ca_pem: Option<String>,
    /// Seconds between two readings of the whole list.
    pub state_seconds: i64,
    /// Seconds after which a guest's details are read again although nothing seems to have changed.
    pub detail_seconds: i64,
    /// Whether Muster leaves it alone.
    pub paused: bool,
    /// PVE version of the node that answered, e.g. `9.1.9`.
    pub version: Option<String>,
    /// PVE release, e.g. `9.1`.
    pub release: Option<String>,
    /// The name PVE gives the cluster; none for a standalone node.
    pub cluster_name: Option<String>,
    /// Whether the cluster has a majority of its votes; none for a standalone node.
    pub quorate: Option<bool>,
    /// The token's rights as PVE last told them.
    pub permissions: Option<Json<Permissions>>,
    /// When a discovery last succeeded.
    pub last_discovered_at: Option<i64>,
    /// Why the cluster cannot be read: a stable code of docs/errors.md.
    pub error_code: Option<String>,
    /// The same in words, with what to do.
    pub error_detail: Option<String>,
    /// Since when.
    pub error_since: Option<i64>,
    /// What is wrong with it, as of the last time it could be read.
    pub health: Json<Vec<Reason>>,
    /// When it was added.
    pub created_at: i64,
    /// When somebody last changed its settings.
    pub updated_at: i64,
    /// A user of PVE whose password opens consoles, `name@realm`; the password stands sealed among the secrets.
    pub login_user: Option<String>,
}

impl Tx {
    /// All clusters by name.
    pub async fn clusters(&mut self) -> Result<Vec<ClusterRow>, StoreError> {
        on!(self, conn => sqlx::query_as(ALL).fetch_all(conn).await).during("read the clusters")
    }

    /// One cluster.
    pub async fn cluster(&mut self, id: ClusterId) -> Result<Option<ClusterRow>, StoreError> {
        on!(self, conn => sqlx::query_as(ONE).bind(id.0).fetch_optional(conn).await).during("read a cluster")
    }

    /// The cluster of that name, without regard to case.
    pub async fn cluster_named(&mut self, name: &str) -> Result<Option<ClusterId>, StoreError> {
        let id: Option<Uuid> = on!(self, conn => sqlx::query_scalar(BY_NAME).bind(name).fetch_optional(conn).await)
            .during("look for a cluster's name")?;
        Ok(id.map(ClusterId))
    }

    /// Adds a cluster.
    pub async fn insert_cluster(&mut self, row: &ClusterRow) -> Result<(), StoreError> {
        self.write_cluster(INSERT, row).await.during("add a cluster")
    }

    /// Writes every column of a cluster. Read it in the same transaction first.
    pub async fn save_cluster(&mut self, row: &ClusterRow) -> Result<(), StoreError> {
        self.write_cluster(UPDATE, row).await.during("change a cluster")
    }

    /// Removes a cluster with its nodes, guests and discovery log, and with what other tables hold of its guests.
    pub async fn delete_cluster(&mut self, id: ClusterId) -> Result<bool, StoreError> {
        on!(self, conn => sqlx::query(DELETE).bind(id.0).execute(conn).await.map(|done| done.rows_affected() > 0))
            .during("remove a cluster")
    }

    async fn write_cluster(&mut self, statement: &'static str, row: &ClusterRow) -> Result<(), sqlx::Error> {
        on!(self, conn => sqlx::query(statement)
            .bind(&row.name)
            .bind(&row.endpoints)
            .bind(&row.token_id)
            .bind(&row.tls_mode)
            .bind(&row.accepted)
            .bind(&row.fingerprints)
            .bind(&row.ca_pem)
            .bind(row.state_seconds)
            .bind(row.detail_seconds)
            .bind(row.paused)
            .bind(&row.version)
            .bind(&row.release)
            .bind(&row.cluster_name)
            .bind(row.quorate)
            .bind(&row.permissions)
            .bind(row.last_discovered_at)
            .bind(&row.error_code)
            .bind(&row.error_detail)
            .bind(row.error_since)
            .bind(row.created_at)
            .bind(row.updated_at)
            .bind(&row.health)
            .bind(&row.login_user)
            .bind(row.id)
            .execute(conn)
            .await
            .map(drop))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::Store;
    use crate::testing::{both, fleet};

    both! {
        async fn a_cluster_comes_back_as_it_was_written(store: &Store) {
            let mut row = fleet::cluster(1, "Homelab");
            let written: Result<(), StoreError> = crate::write!(store, tx => { tx.insert_cluster(&row).await });
            written.expect("adds");
            row.quorate = Some(true);
            row.permissions = Some(Json(Permissions(BTreeMap::from([(
                "/".to_owned(),
                BTreeSet::from(["VM.Audit".to_owned()]),
            )]))));
            row.error_code = Some("node_down".to_owned());
            let saved: Result<(), StoreError> = crate::write!(store, tx => { tx.save_cluster(&row).await });
            saved.expect("saves");
            let mut tx = store.read().await.expect("reads");
            assert_eq!(tx.cluster(ClusterId(row.id)).await.expect("reads"), Some(row.clone()));
            assert_eq!(tx.clusters().await.expect("reads"), [row]);
        }

        async fn two_clusters_cannot_have_one_name(store: &Store) {
            let first: Result<(), StoreError> =
                crate::write!(store, tx => { tx.insert_cluster(&fleet::cluster(1, "Homelab")).await });
            first.expect("adds");
            let second: Result<(), StoreError> =
                crate::write!(store, tx => { tx.insert_cluster(&fleet::cluster(2, "HOMELAB")).await });
            assert!(second.expect_err("refuses").is_unique_violation());
            let mut tx = store.read().await.expect("reads");
            assert_eq!(tx.cluster_named("homeLAB").await.expect("reads"), Some(ClusterId(Uuid::from_u128(1))));
            assert_eq!(tx.cluster_named("other").await.expect("reads"), None);
        }

        async fn removing_a_cluster_takes_everything_of_it(store: &Store) {
            let (cluster, node, guest) = (fleet::cluster(1, "a"), fleet::node(2, 1, "pve1"), fleet::guest(3, 1, 2, 100));
            let removed: Result<bool, StoreError> = crate::write!(store, tx => {
                tx.insert_cluster(&cluster).await?;
                tx.insert_node(&node).await?;
                tx.insert_guest(&guest).await?;
                tx.delete_cluster(ClusterId(cluster.id)).await
            });
            assert!(removed.expect("removes"));
            let mut tx = store.read().await.expect("reads");
            assert_eq!(tx.nodes_of(ClusterId(cluster.id)).await.expect("reads"), []);
            assert_eq!(tx.guests_of(ClusterId(cluster.id)).await.expect("reads"), []);
        }
    }
}
