//! Signing in: with name and password, or by a link. Who fails often waits longer each time; the count is kept in the
//! database by name and address, so that neither a restart nor a second server forgets it.

use std::net::IpAddr;
use std::time::Duration;

use muster_domain::{RequestId, Timestamp, UserId};
use muster_store::Tx;
use muster_store::sessions::{FailuresRow, LinkPurpose};
use muster_store::users::UserRow;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::sessions::{LONGEST, Session, hash_of};
use super::user;
use crate::app::{App, Caller, Ctx, Error};

/// So many tries are free.
const FREE_TRIES: i64 = 5;
/// The wait after the first try that is not; it doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_secs(2);
/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);
/// Failures this old count no longer.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(24 * 3600);
/// Names longer than this are nobody's; they are not worth a row.
const LONGEST_NAME: usize = 256;

impl App {
    /// Signs in with name and password.
    pub async fn sign_in(
        &self,
        request: RequestId,
        address: IpAddr,
        name: &str,
        password: &str,
    ) -> Result<Session, Error> {
        if name.len() > LONGEST_NAME {
            return Err(wrong());
        }
        // Only its hash: a password in the wrong field is not for the database either.
        let counted = hex::encode(Sha256::digest(name.trim().to_lowercase()));
        let address = address.to_string();
        let row = self.count_try(name.trim(), &counted, &address).await?;
        let stored = row.as_ref().and_then(|row| row.password_hash.clone());
        let right = self.passwords.verify(password, stored).await?;
        // A name that is nobody's may be a password in the wrong field: it is not for the log.
        let known = row.as_ref().map_or("nobody", |row| row.name.as_str()).to_owned();
        let Some(row) = row.filter(|_| right) else {
            tracing::warn!(user = known, address, "a sign-in failed");
            return Err(wrong());
        };
        self.admit(request, row, Some((&counted, &address)), None).await
    }

    /// Signs in by a link, which is used up.
    pub async fn sign_in_by_link(&self, request: RequestId, link: &str) -> Result<Session, Error> {
        let hash = hash_of(link).ok_or_else(link_refused)?;
        let now = self.clock.now();
        let row: Result<UserRow, Error> = muster_store::write!(self.store, tx => {
            let user = tx.use_link(&hash, LinkPurpose::SignIn, now).await?.flatten().ok_or_else(link_refused)?;
            tx.user(user).await?.ok_or_else(link_refused)
        });
        self.admit(request, row?, None, Some("link")).await
    }

    /// Counts a try as failed before it is made: many at once then cannot all be the first. One that works takes it back.
    async fn count_try(&self, name: &str, counted: &str, address: &str) -> Result<Option<UserRow>, Error> {
        let now = self.clock.now();
        muster_store::write!(self.store, tx => {
            let before = recent_failures(tx, counted, address, now).await?;
            if before.blocked_until > now.as_micros() {
                let wait = Timestamp::from_micros(before.blocked_until).since(now);
                return Err(Error::Limited { seconds: wait.as_secs() + 1 });
            }
            let failures = before.failures + 1;
            let row = FailuresRow {
                failures,
                last_at: now.as_micros(),
                blocked_until: (now + wait_after(failures)).as_micros(),
            };
            tx.put_sign_in_failures(counted, address, row).await?;
            Ok(tx.user_by_name(name).await?)
        })
    }

    async fn admit(
        &self,
        request: RequestId,
        row: UserRow,
        tried_as: Option<(&str, &str)>,
        by: Option<&str>,
    ) -> Result<Session, Error> {
        let secret = Zeroizing::new(self.ids.secret());
        let user = user(row)?;
        let ctx = Ctx {
            caller: Caller::User {
                id: user.id,
                name: user.name.clone(),
                role: user.role,
            },
            request,
        };
        let opened: Result<(), Error> = muster_store::write!(self.store, tx => {
            if let Some((name, address)) = tried_as {
                tx.forget_sign_in_failures(name, address).await?;
            }
            self.open_session(tx, secret.as_slice(), UserId(user.id.0)).await?;
            let detail = json!({ "by": by.unwrap_or("password") });
            ctx.audit(self, tx, "session.start", ("user", Some(user.id.0), &user.name), detail).await?;
            Ok(())
        });
        opened?;
        Ok(Session {
            secret: Zeroizing::new(hex::encode(secret.as_slice())),
            lasts: LONGEST,
            user,
        })
    }
}

async fn recent_failures(tx: &mut Tx, name: &str, address: &str, now: Timestamp) -> Result<FailuresRow, Error> {
    let row = tx.sign_in_failures(name, address).await?;
    let recent = row.filter(|row| now.since(Timestamp::from_micros(row.last_at)) < FORGOTTEN_AFTER);
    Ok(recent.unwrap_or(FailuresRow {
        failures: 0,
        last_at: 0,
        blocked_until: 0,
    }))
}

fn wait_after(failures: i64) -> Duration {
    let beyond = u32::try_from(failures - FREE_TRIES).ok().filter(|beyond| *beyond > 0);
    match beyond {
        None => Duration::ZERO,
        Some(beyond) => FIRST_WAIT.saturating_mul(1 << (beyond - 1).min(16)).min(LONGEST_WAIT),
    }
}

fn wrong() -> Error {
    Error::Unauthenticated {
        code: "wrong_credentials",
        detail: "name or password is wrong; an admin can set a new password, or `muster user link` prints a link on the server".to_owned(),
    }
}

fn link_refused() -> Error {
    Error::Unauthenticated {
        code: "link_invalid",
        detail: "this link was used or has expired: ask for a new one (`muster user link NAME` on the server)"
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_starts_after_the_free_tries_doubles_and_has_an_end() {
        let seconds: Vec<u64> = [1, 5, 6, 7, 8, 100].map(|n| wait_after(n).as_secs()).into();
        assert_eq!(seconds, [0, 0, 2, 4, 8, 900]);
    }
}
