//! The first start: there is no default password, but a link on the terminal that makes the first account.

use muster_domain::access::Role;
use muster_domain::{RequestId, UserId};
use muster_store::sessions::LinkPurpose;
use serde_json::json;
use zeroize::Zeroizing;

use super::sessions::{LONGEST, Session, hash_of};
use super::{NewUser, user};
use crate::app::{App, Caller, Ctx, Error};

impl App {
    /// Whether nobody can sign in yet.
    pub async fn setup_needed(&self) -> Result<bool, Error> {
        Ok(self.store.read().await?.count_users().await? == 0)
    }

    /// A new setup link in place of earlier ones; `None` once there is an account.
    pub async fn setup_link(&self) -> Result<Option<Zeroizing<String>>, Error> {
        let secret = Zeroizing::new(self.ids.secret());
        let made: Result<bool, Error> = muster_store::write!(self.store, tx => {
            if tx.count_users().await? > 0 {
                return Ok(false);
            }
            tx.delete_links(LinkPurpose::Setup).await?;
            self.add_link(tx, secret.as_slice(), LinkPurpose::Setup, None).await?;
            Ok(true)
        });
        Ok(made?.then(|| self.link("/setup#token=", secret.as_slice())))
    }

    /// Makes the first account, an admin, and signs it in.
    pub async fn set_up(&self, request: RequestId, token: &str, name: &str, password: &str) -> Result<Session, Error> {
        let new = NewUser {
            name: name.to_owned(),
            role: Role::Admin,
            password: Some(password.to_owned()),
        };
        let hash = hash_of(token).ok_or_else(refused)?;
        if self.store.read().await?.count_users().await? > 0 {
            return Err(refused());
        }
        let row = self.new_row(&new).await?;
        let secret = Zeroizing::new(self.ids.secret());
        let now = self.clock.now();
        let ctx = Ctx {
            caller: Caller::User {
                id: UserId(row.id),
                name: row.name.clone(),
                role: Role::Admin,
            },
            request,
        };
        let stored: Result<(), Error> = muster_store::write!(self.store, tx => {
            let valid = tx.use_link(&hash, LinkPurpose::Setup, now).await?.is_some();
            if !valid || tx.count_users().await? > 0 {
                return Err(refused());
            }
            tx.add_user(&row).await?;
            tx.delete_links(LinkPurpose::Setup).await?;
            self.open_session(tx, secret.as_slice(), UserId(row.id)).await?;
            let detail = json!({ "role": row.role, "setup": true });
            ctx.audit(self, tx, "user.add", ("user", Some(row.id), &row.name), detail).await?;
            Ok(())
        });
        stored?;
        Ok(Session {
            secret: Zeroizing::new(hex::encode(secret.as_slice())),
            lasts: LONGEST,
            user: user(row)?,
        })
    }
}

fn refused() -> Error {
    Error::Unauthenticated {
        code: "setup_link_invalid",
        detail: "this setup link was used or has expired: restart Muster and take the new link from its log".to_owned(),
    }
}
