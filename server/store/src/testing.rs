//! Every store test runs on both databases: [`both`] makes two tests of one body.

use std::io::Write as _;

use crate::Store;

/// A fresh, migrated database that goes away with this value.
pub(crate) struct Fresh {
    /// The store under test.
    pub(crate) store: Store,
    _folder: Option<tempfile::TempDir>,
}

/// A fresh SQLite database in a temporary folder.
pub(crate) async fn sqlite() -> Fresh {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = Store::open(&format!("sqlite:{}", folder.path().join("muster.db").display()))
        .await
        .expect("opens");
    store.migrate().await.expect("migrates");
    Fresh {
        store,
        _folder: Some(folder),
    }
}

/// A fresh PostgreSQL database on the server named by `TEST_POSTGRES_URL`; `None`, counted as a skip, without one.
pub(crate) async fn postgres(test: &str) -> Option<Fresh> {
    let Ok(server) = std::env::var("TEST_POSTGRES_URL") else {
        skip(test, "TEST_POSTGRES_URL names no throw-away PostgreSQL server");
        return None;
    };
    let store = Store::open(&crate::fresh::create(&server).await).await.expect("opens");
    store.migrate().await.expect("migrates");
    Some(Fresh { store, _folder: None })
}

/// Notes a test that cannot run here in the file that `make test` counts. In CI a skip is a failure at once.
fn skip(test: &str, reason: &str) {
    assert!(
        std::env::var_os("CI").is_none(),
        "{test} cannot be skipped in CI: {reason}"
    );
    eprintln!("skipped: {test}: {reason}");
    if let Some(path) = std::env::var_os("TEST_SKIPS") {
        let mut file = std::fs::File::options()
            .append(true)
            .create(true)
            .open(path)
            .expect("the list of skips opens");
        writeln!(file, "{test}: {reason}").expect("the list of skips is written");
    }
}

/// Rows of a small fleet. Ids are made of small numbers.
pub(crate) mod fleet {
    use std::collections::BTreeMap;

    use sqlx::types::Json;
    use uuid::Uuid;

    use crate::clusters::ClusterRow;
    use crate::guests::GuestRow;
    use crate::nodes::NodeRow;

    /// A cluster that was just added.
    pub(crate) fn cluster(id: u128, name: &str) -> ClusterRow {
        ClusterRow {
            id: Uuid::from_u128(id),
            name: name.to_owned(),
            endpoints: Json(vec!["https://192.0.2.10:8006".to_owned()]),
            token_id: "muster@pve!main".to_owned(),
            tls_mode: "pinned".to_owned(),
            accepted: Some("AA:BB".to_owned()),
            fingerprints: Json(BTreeMap::new()),
            ca_pem: None,
            state_seconds: 10,
            detail_seconds: 3600,
            paused: false,
            version: None,
            release: None,
            cluster_name: None,
            quorate: None,
            permissions: None,
            last_discovered_at: None,
            error_code: None,
            error_detail: None,
            error_since: None,
            health: Json(Vec::new()),
            created_at: 1,
            updated_at: 1,
            login_user: None,
        }
    }

    /// An online node.
    pub(crate) fn node(id: u128, cluster: u128, name: &str) -> NodeRow {
        NodeRow {
            id: Uuid::from_u128(id),
            cluster_id: Uuid::from_u128(cluster),
            name: name.to_owned(),
            status: "online".to_owned(),
            stale_since: None,
            address: None,
            version: None,
            cpus: Some(4),
            memory_total: Some(1 << 34),
            updates_state: "unknown".to_owned(),
            updates_total: None,
            updates_security: None,
            updates_reason: None,
            exec_endpoint: "unknown".to_owned(),
            exec_endpoint_version: None,
            details_at: None,
            first_seen_at: 1,
            gone_at: None,
            packages: None,
            token_console: "unknown".to_owned(),
            token_console_packages: None,
            token_console_at: None,
        }
    }

    /// A running container on node `pve1`.
    pub(crate) fn guest(id: u128, cluster: u128, node: u128, vmid: i64) -> GuestRow {
        GuestRow {
            id: Uuid::from_u128(id),
            cluster_id: Uuid::from_u128(cluster),
            node_id: Uuid::from_u128(node),
            node: "pve1".to_owned(),
            node_status: "online".to_owned(),
            node_stale_since: None,
            node_version: None,
            exec_endpoint: "unknown".to_owned(),
            exec_endpoint_version: None,
            work_job: None,
            work_kind: None,
            work_state: None,
            work_step: None,
            packages: None,
            token_console: "unknown".to_owned(),
            token_console_packages: None,
            release: None,
            login_user: None,
            vmid,
            kind: "lxc".to_owned(),
            name: format!("ct{vmid}"),
            status: "running".to_owned(),
            stale_since: None,
            lock: None,
            template: false,
            tags: "prod;web".to_owned(),
            pool: None,
            system_id: Some("debian".to_owned()),
            system_name: Some("Debian".to_owned()),
            addresses: "192.0.2.50".to_owned(),
            cpus: Some(2.0),
            memory_max: Some(1 << 29),
            disk_max: Some(1 << 33),
            unprivileged: Some(true),
            cmode: Some("tty".to_owned()),
            has_mounts: Some(false),
            backup: "none".to_owned(),
            config_digest: None,
            details_at: None,
            agent_state: "none".to_owned(),
            agent_version: None,
            agent_seen_at: None,
            agent_reason: None,
            updates_state: "unknown".to_owned(),
            updates_total: None,
            updates_security: None,
            updates_scanned_at: None,
            updates_reason: None,
            reboot_required: None,
            reach_best: Some("by_hand".to_owned()),
            reach_needs: None,
            first_seen_at: 1,
            gone_at: None,
            hidden: false,
            rights: None,
            cmode_pending: None,
            qemu_agent: "unknown".to_owned(),
        }
    }
}

/// Makes two tests of one async function of `&Store`: `<name>::sqlite` and `<name>::postgres`.
macro_rules! both {
    ($($(#[$doc:meta])* async fn $name:ident($store:ident: &Store) $body:block)*) => {$(
        $(#[$doc])*
        mod $name {
            use super::*;

            async fn body($store: &Store) $body

            #[tokio::test]
            async fn sqlite() {
                let fresh = $crate::testing::sqlite().await;
                body(&fresh.store).await;
            }

            #[tokio::test]
            async fn postgres() {
                if let Some(fresh) = $crate::testing::postgres(concat!(module_path!(), "::", stringify!($name))).await {
                    body(&fresh.store).await;
                    fresh.store.close().await;
                }
            }
        }
    )*};
}
pub(crate) use both;
