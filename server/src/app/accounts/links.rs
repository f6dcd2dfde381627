//! Links that work once. They carry 32 random bytes behind `#`, which browsers send to no server and write into no log.

use std::time::Duration;

use muster_domain::UserId;
use muster_domain::access::Role;
use muster_store::Tx;
use muster_store::sessions::LinkPurpose;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::missing;
use crate::app::{App, Ctx, Error};

/// How long a link can be used.
pub(super) const LINK_LASTS: Duration = Duration::from_secs(24 * 3600);

impl App {
    /// Makes a link that signs `user` in, once, within a day.
    pub async fn sign_in_link(&self, ctx: &Ctx, user: UserId) -> Result<Zeroizing<String>, Error> {
        ctx.require(Role::Admin)?;
        let secret = Zeroizing::new(self.ids.secret());
        let made: Result<(), Error> = muster_store::write!(self.store, tx => {
            let row = tx.user(user).await?.ok_or_else(|| missing(&user.to_string()))?;
            self.add_link(tx, secret.as_slice(), LinkPurpose::SignIn, Some(user)).await?;
            ctx.audit(self, tx, "user.link", ("user", Some(row.id), &row.name), serde_json::Value::Null).await?;
            Ok(())
        });
        made?;
        Ok(self.link("/sign-in#link=", secret.as_slice()))
    }

    pub(super) async fn add_link(
        &self,
        tx: &mut Tx,
        secret: &[u8],
        purpose: LinkPurpose,
        user: Option<UserId>,
    ) -> Result<(), Error> {
        let ends = self.clock.now() + LINK_LASTS;
        Ok(tx.add_link(&Sha256::digest(secret), purpose, user, ends).await?)
    }

    pub(super) fn link(&self, path: &str, secret: &[u8]) -> Zeroizing<String> {
        let base = self.config.base();
        let secret = Zeroizing::new(hex::encode(secret));
        Zeroizing::new(format!("{base}{path}{}", *secret))
    }
}
