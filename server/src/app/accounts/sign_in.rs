//! Signing in: with name and password, or by a link. Who fails often waits longer each time, by the rule in
//! `domain::sign_in`; the counts are kept in the database, so that neither a restart nor a second server forgets them.

use std::net::{IpAddr, Ipv6Addr};

use muster_domain::sign_in::{Counts, Failures, Try, judge};
use muster_domain::{RequestId, Timestamp, UserId};
use muster_store::sessions::{FailuresRow, LinkPurpose};
use muster_store::users::UserRow;
use muster_store::{StoreError, Tx};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::sessions::{LONGEST, Session, hash_of};
use super::user;
use crate::app::{App, Caller, Ctx, Error};

/// Names longer than this are nobody's; they are not worth a row.
const LONGEST_NAME: usize = 256;
/// Rows of failures that are kept. A flood of names and addresses makes the oldest ones forgotten.
const MOST_ROWS: i64 = 10_000;
/// Stands for all names, or all addresses, in a row that counts them together. Neither is ever empty.
const ALL: &str = "";

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
        let address = counted_as(address);
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

    /// Judges a try and counts it.
    async fn count_try(&self, name: &str, counted: &str, address: &str) -> Result<Option<UserRow>, Error> {
        let now = self.clock.now();
        let judged: Result<_, Error> = muster_store::write!(self.store, tx => {
            let before = Counts {
                pair: failures(tx, counted, address).await?,
                address: failures(tx, ALL, address).await?,
                name: failures(tx, counted, ALL).await?,
            };
            let judged = judge(now, before);
            let pair = match &judged {
                Try::Made(after) => {
                    tx.put_sign_in_failures(ALL, address, row(&after.address)).await?;
                    tx.put_sign_in_failures(counted, ALL, row(&after.name)).await?;
                    after.pair
                }
                Try::Refused { pair, .. } => *pair,
            };
            if pair != before.pair {
                tx.put_sign_in_failures(counted, address, row(&pair)).await?;
            }
            if pair != before.pair && before.pair == Failures::NONE {
                tx.drop_sign_in_failures_beyond(MOST_ROWS).await?;
            }
            Ok((judged, tx.user_by_name(name).await?))
        });
        match judged? {
            (Try::Made(_), user) => Ok(user),
            (Try::Refused { wait, .. }, _) => Err(Error::Limited {
                seconds: wait.as_secs() + 1,
            }),
        }
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
                take_back(tx, name, address).await?;
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

/// A try that was right ends the failures of its name from its address, and is no failure of either alone.
async fn take_back(tx: &mut Tx, name: &str, address: &str) -> Result<(), StoreError> {
    tx.forget_sign_in_failures(name, address).await?;
    for (name, address) in [(ALL, address), (name, ALL)] {
        let after = failures(tx, name, address).await?.taken_back();
        tx.put_sign_in_failures(name, address, row(&after)).await?;
    }
    Ok(())
}

async fn failures(tx: &mut Tx, name: &str, address: &str) -> Result<Failures, StoreError> {
    let row = tx.sign_in_failures(name, address).await?;
    Ok(row.map_or(Failures::NONE, |row| Failures {
        count: row.failures,
        last_at: Timestamp::from_micros(row.last_at),
        blocked_until: Timestamp::from_micros(row.blocked_until),
    }))
}

fn row(failures: &Failures) -> FailuresRow {
    FailuresRow {
        failures: failures.count,
        last_at: failures.last_at.as_micros(),
        blocked_until: failures.blocked_until.as_micros(),
    }
}

/// What an address is counted as. Whoever has one IPv6 address has all that share its first 64 bits.
fn counted_as(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let network = address.to_bits() & !u128::from(u64::MAX);
            format!("{}/64", Ipv6Addr::from_bits(network))
        }
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
    fn addresses_of_one_ipv6_network_are_one() {
        let counted = |text: &str| counted_as(text.parse().expect("an address"));
        assert_eq!(counted("2001:db8:1:2:3::4"), "2001:db8:1:2::/64");
        assert_eq!(counted("2001:db8:1:2:ffff::"), counted("2001:db8:1:2:3::4"));
        assert_eq!(counted("::ffff:192.0.2.1"), counted("192.0.2.1"));
    }
}
