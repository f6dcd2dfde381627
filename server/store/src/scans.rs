//! What the last good scan of each guest found. The counts stand in the guest's row, beside the reason when a later scan
//! failed.

use muster_domain::{GuestId, Timestamp};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use uuid::Uuid;

use crate::error::{During as _, StoreError};
use crate::tx::{Tx, on};

const SCAN: &str = "SELECT * FROM scans WHERE guest_id = $1";
const SAVE_SCAN: &str = "INSERT INTO scans (guest_id, scanned_at, transport, digest, besides) \
    VALUES ($1, $2, $3, $4, $5) ON CONFLICT (guest_id) DO UPDATE SET scanned_at = excluded.scanned_at, \
    transport = excluded.transport, digest = excluded.digest, besides = excluded.besides";
const FORGET_SCAN: &str = "DELETE FROM scans WHERE guest_id = $1";
const UPDATES: &str = "SELECT source, name, arch, from_version, to_version, origin, security, evidence, held, size, \
    severity, fixes, phased, kept_back, installed_size FROM updates WHERE guest_id = $1 ORDER BY source, name, arch";
const CLEAR_UPDATES: &str = "DELETE FROM updates WHERE guest_id = $1";
const INSERT_UPDATE: &str = "INSERT INTO updates (guest_id, source, name, arch, from_version, to_version, origin, \
    security, evidence, held, size, severity, fixes, phased, kept_back, installed_size) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) ON CONFLICT DO NOTHING";
const TO_RESCAN: &str = "SELECT g.id FROM guests g WHERE g.gone_at IS NULL AND g.status = 'running' AND NOT g.template \
    AND g.agent_state = 'online' AND (g.updates_scanned_at IS NULL OR g.updates_scanned_at < $1) \
    AND NOT EXISTS (SELECT 1 FROM job_targets t JOIN jobs j ON j.id = t.job_id WHERE t.guest_id = g.id \
    AND j.kind = 'scan' AND (t.finished_at IS NULL OR t.finished_at >= $1)) \
    ORDER BY COALESCE(g.updates_scanned_at, 0), g.id LIMIT $2";

/// The last good scan of a guest.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct ScanRow {
    /// The guest.
    pub guest_id: Uuid,
    /// When it was scanned, microseconds since 1970.
    pub scanned_at: i64,
    /// The way in, e.g. `agent`.
    pub transport: String,
    /// SHA-256 over the report, hex.
    pub digest: String,
    /// What belongs to the whole report and not to one update.
    pub besides: Json<Besides>,
}

/// What a report says beside its updates.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Besides {
    /// Name and version of packages that an upgrade would install anew.
    pub installs: Vec<(String, String)>,
    /// Name and version of packages that it would take away.
    pub removes: Vec<(String, String)>,
    /// Services and programs that still use replaced files.
    pub restarts: Vec<String>,
    /// What is said of an earlier transaction that did not end.
    pub interrupted: Option<String>,
}

/// One available change of one package.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct UpdateRow {
    /// Where it comes from, e.g. `apt`.
    pub source: String,
    /// The package.
    pub name: String,
    /// Its architecture; empty where the package manager does not say.
    pub arch: String,
    /// The installed version; none when the package would be new.
    pub from_version: Option<String>,
    /// The version it would get.
    pub to_version: String,
    /// Where the package manager would fetch it from.
    pub origin: Option<String>,
    /// Whether the metadata calls it a security update; none where the metadata says nothing about security.
    pub security: Option<bool>,
    /// What in the metadata says so.
    pub evidence: Option<String>,
    /// Whether somebody has held the package back.
    pub held: bool,
    /// Download size in bytes.
    pub size: Option<i64>,
    /// How grave the metadata calls what it fixes: `low`, `moderate`, `important` or `critical`.
    pub severity: Option<String>,
    /// What it fixes, such as `CVE-2026-1234`, separated by spaces.
    pub fixes: String,
    /// Rolled out in phases: the percentage of machines reached so far.
    pub phased: Option<i64>,
    /// Not installed by an upgrade now, because its dependencies do not allow it.
    pub kept_back: bool,
    /// Size on disk in bytes.
    pub installed_size: Option<i64>,
}

impl Tx {
    /// The last good scan of a guest.
    pub async fn scan(&mut self, guest: GuestId) -> Result<Option<ScanRow>, StoreError> {
        on!(self, conn => sqlx::query_as(SCAN).bind(guest.0).fetch_optional(conn).await).during("read a scan")
    }

    /// Writes that a guest was scanned.
    pub async fn save_scan(&mut self, scan: &ScanRow) -> Result<(), StoreError> {
        on!(self, conn => sqlx::query(SAVE_SCAN)
            .bind(scan.guest_id)
            .bind(scan.scanned_at)
            .bind(&scan.transport)
            .bind(&scan.digest)
            .bind(&scan.besides)
            .execute(conn)
            .await
            .map(drop))
        .during("store a scan")
    }

    /// Forgets that a guest was ever scanned, and what was found.
    pub async fn forget_scan(&mut self, guest: GuestId) -> Result<(), StoreError> {
        on!(self, conn => sqlx::query(FORGET_SCAN).bind(guest.0).execute(conn).await.map(drop))
            .during("forget a scan")?;
        self.replace_updates(guest, &[]).await
    }

    /// A guest's updates by source and name.
    pub async fn updates_of(&mut self, guest: GuestId) -> Result<Vec<UpdateRow>, StoreError> {
        on!(self, conn => sqlx::query_as(UPDATES).bind(guest.0).fetch_all(conn).await).during("read a guest's updates")
    }

    /// Writes all of a guest's updates anew. Of two with the same source, name and architecture the first one counts.
    pub async fn replace_updates(&mut self, guest: GuestId, updates: &[UpdateRow]) -> Result<(), StoreError> {
        on!(self, conn => sqlx::query(CLEAR_UPDATES).bind(guest.0).execute(conn).await.map(drop))
            .during("clear a guest's updates")?;
        for update in updates {
            on!(self, conn => sqlx::query(INSERT_UPDATE)
                .bind(guest.0)
                .bind(&update.source)
                .bind(&update.name)
                .bind(&update.arch)
                .bind(&update.from_version)
                .bind(&update.to_version)
                .bind(&update.origin)
                .bind(update.security)
                .bind(&update.evidence)
                .bind(update.held)
                .bind(update.size)
                .bind(&update.severity)
                .bind(&update.fixes)
                .bind(update.phased)
                .bind(update.kept_back)
                .bind(update.installed_size)
                .execute(conn)
                .await
                .map(drop))
            .during("store an update")?;
        }
        Ok(())
    }

    /// Running guests with an agent online that were last scanned, well or in vain, before `moment`; the oldest first.
    pub async fn guests_to_rescan(&mut self, moment: Timestamp, limit: i64) -> Result<Vec<GuestId>, StoreError> {
        let ids: Vec<Uuid> =
            on!(self, conn => sqlx::query_scalar(TO_RESCAN).bind(moment.as_micros()).bind(limit).fetch_all(conn).await)
                .during("look for guests to scan again")?;
        Ok(ids.into_iter().map(GuestId).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;
    use crate::guests::{GuestAgent, GuestUpdates};
    use crate::testing::{both, fleet};

    const GUEST: GuestId = GuestId(Uuid::from_u128(3));

    fn update(name: &str, to: &str) -> UpdateRow {
        UpdateRow {
            source: "apt".to_owned(),
            name: name.to_owned(),
            arch: "amd64".to_owned(),
            from_version: Some("1".to_owned()),
            to_version: to.to_owned(),
            origin: Some("Debian-Security:13/stable-security".to_owned()),
            security: Some(true),
            evidence: None,
            held: false,
            size: Some(1 << 40),
            severity: Some("important".to_owned()),
            fixes: "CVE-2026-1 CVE-2026-2".to_owned(),
            phased: Some(30),
            kept_back: true,
            installed_size: None,
        }
    }

    async fn with_guest(store: &Store) {
        let mut row = fleet::guest(3, 1, 2, 100);
        row.status = "running".to_owned();
        let online = GuestAgent {
            state: "online",
            version: None,
            seen_at: None,
            reason: None,
        };
        let added: Result<(), StoreError> = crate::write!(store, tx => {
            tx.insert_cluster(&fleet::cluster(1, "a")).await?;
            tx.insert_node(&fleet::node(2, 1, "pve1")).await?;
            tx.insert_guest(&row).await?;
            tx.set_guest_agent(GUEST, &online).await
        });
        added.expect("adds");
    }

    both! {
        async fn updates_are_replaced_as_a_whole(store: &Store) {
            with_guest(store).await;
            let scan = ScanRow { guest_id: GUEST.0, scanned_at: 5, transport: "agent".to_owned(), digest: "d".to_owned(), besides: Json::default() };
            let written: Result<(), StoreError> = crate::write!(store, tx => {
                tx.save_scan(&scan).await?;
                tx.replace_updates(GUEST, &[update("zlib", "2"), update("Abc", "3"), update("zlib", "9")]).await
            });
            written.expect("writes");
            let mut tx = store.read().await.expect("reads");
            assert_eq!(tx.scan(GUEST).await.expect("reads"), Some(scan.clone()));
            assert_eq!(tx.updates_of(GUEST).await.expect("reads"), [update("Abc", "3"), update("zlib", "2")]);
            drop(tx);
            let replaced: Result<(), StoreError> = crate::write!(store, tx => {
                tx.save_scan(&ScanRow { digest: "e".to_owned(), ..scan.clone() }).await?;
                tx.replace_updates(GUEST, &[update("zlib", "4")]).await
            });
            replaced.expect("writes");
            let mut tx = store.read().await.expect("reads");
            assert_eq!(tx.updates_of(GUEST).await.expect("reads"), [update("zlib", "4")]);
            drop(tx);
            let forgotten: Result<(), StoreError> = crate::write!(store, tx => { tx.forget_scan(GUEST).await });
            forgotten.expect("forgets");
            let mut tx = store.read().await.expect("reads");
            assert_eq!(tx.scan(GUEST).await.expect("reads"), None);
            assert_eq!(tx.updates_of(GUEST).await.expect("reads"), []);
        }

        async fn a_guest_is_scanned_again_when_its_scan_is_old(store: &Store) {
            with_guest(store).await;
            let due = |moment: i64| async move {
                let mut tx = store.read().await.expect("reads");
                tx.guests_to_rescan(Timestamp::from_micros(moment), 10).await.expect("reads")
            };
            assert_eq!(due(100).await, [GUEST], "never scanned");
            let fresh = GuestUpdates {
                state: "fresh",
                total: Some(0),
                security: Some(0),
                scanned_at: Some(100),
                reason: None,
                reboot_required: None,
            };
            let written: Result<(), StoreError> =
                crate::write!(store, tx => { tx.set_guest_updates(GUEST, &fresh).await });
            written.expect("writes");
            assert_eq!(due(100).await, []);
            assert_eq!(due(101).await, [GUEST]);
        }
    }
}
