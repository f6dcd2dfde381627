//! Reading the audit log, and letting go of what is old.

use muster_domain::access::Role;
use muster_store::audit::AuditRow;
use uuid::Uuid;

use super::settings::{Retention, Settings};
use super::{App, Ctx, Error};

impl App {
    /// Newest first, at most `limit`, those before entry `before`.
    pub async fn audit_page(&self, ctx: &Ctx, before: Option<Uuid>, limit: i64) -> Result<Vec<AuditRow>, Error> {
        ctx.require(Role::Admin)?;
        Ok(self.store.read().await?.audit_page(before, limit).await?)
    }

    /// Drops entries that are older than the setting says; returns how many.
    pub async fn drop_old_audit(&self) -> Result<u64, Error> {
        let now = self.clock.now();
        muster_store::write!(self.store, tx => {
            let kept = Settings::read(tx).await?.retention.audit_days;
            Ok(tx.drop_audit_before(now - Retention::days(kept)).await?)
        })
    }
}
