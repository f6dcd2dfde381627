//! Sessions of signed-in browsers. The cookie holds 32 random bytes, the table their SHA-256.

use std::time::Duration;

use muster_domain::{Timestamp, UserId};
use muster_store::{StoreError, Tx};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::app::events::ACCESS_CHANGED;
use crate::app::{App, Caller, Error};

/// A session that is not used for so long ends.
pub(in crate::app) const IDLE: Duration = Duration::from_secs(7 * 24 * 3600);
/// A session ends after so long, however much it is used.
pub(super) const LONGEST: Duration = Duration::from_secs(30 * 24 * 3600);
/// The use of a session is written down at most this often.
const USE_NOTED_EVERY: Duration = Duration::from_secs(60);

/// A new session.
pub struct Session {
    /// What the cookie holds.
    pub secret: Zeroizing<String>,
    /// How long it lasts at most.
    pub lasts: Duration,
    /// Who signed in.
    pub user: super::User,
}

impl App {
    /// Who calls with this session cookie. `None` when the session has ended.
    pub async fn caller_of_session(&self, cookie: &str) -> Result<Option<Caller>, Error> {
        let Some(hash) = hash_of(cookie) else {
            return Ok(None);
        };
        let row = self.store.read().await?.session(&hash).await?;
        let now = self.clock.now();
        let Some(row) = row.filter(|row| row.expires_at > now.as_micros()) else {
            return Ok(None);
        };
        let unused = now.since(Timestamp::from_micros(row.seen_at));
        if unused >= IDLE {
            return Ok(None);
        }
        if unused >= USE_NOTED_EVERY {
            let noted: Result<(), StoreError> =
                muster_store::write!(self.store, tx => { tx.session_seen(&hash, now).await });
            noted?;
        }
        Ok(Some(Caller::User {
            id: UserId(row.user_id),
            role: crate::app::role(&row.role)?,
            name: row.name,
        }))
    }

    /// Ends the session of this cookie; none is none.
    pub async fn sign_out(&self, cookie: &str) -> Result<(), Error> {
        let Some(hash) = hash_of(cookie) else {
            return Ok(());
        };
        muster_store::write!(self.store, tx => {
            tx.delete_session(&hash).await?;
            tx.publish(self.clock.now(), ACCESS_CHANGED, None, serde_json::Value::Null).await?;
            Ok(())
        })
    }

    /// Drops what has ended; returns how many sessions.
    pub async fn drop_ended_sessions(&self) -> Result<u64, Error> {
        let now = self.clock.now();
        muster_store::write!(self.store, tx => { tx.drop_ended_sessions(now, now - IDLE).await.map_err(Error::from) })
    }

    /// Opens a session for `user` in the transaction of the sign-in.
    pub(super) async fn open_session(&self, tx: &mut Tx, secret: &[u8], user: UserId) -> Result<(), StoreError> {
        let now = self.clock.now();
        tx.add_session(&Sha256::digest(secret), user, now, now + LONGEST)
            .await?;
        tx.user_signed_in(user, now).await
    }
}

/// What the table holds for a secret in hexadecimal.
pub(super) fn hash_of(text: &str) -> Option<Vec<u8>> {
    let mut secret = Zeroizing::new([0; 32]);
    hex::decode_to_slice(text, secret.as_mut_slice()).ok()?;
    Some(Sha256::digest(secret.as_slice()).to_vec())
}
