//! Passwords: argon2id with the parameters OWASP names (19 MiB, 2 passes), few at a time and never on an async thread.

use std::sync::{Arc, OnceLock};

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::app::Error;

/// Hashes at a time: each needs 19 MiB and a whole core for tens of milliseconds.
const AT_ONCE: usize = 2;
/// Sign-ins that wait for their turn; who comes then is told to come back.
const WAITING: usize = 32;
/// Seconds after which they may.
const COME_BACK: u64 = 5;
/// Shortest password, in characters. Length is what counts; nothing else is asked for.
const SHORTEST: usize = 10;
/// Longest password, in bytes.
const LONGEST: usize = 1024;

/// Hashes and checks passwords. Cheap to clone.
#[derive(Clone)]
pub struct Passwords {
    queue: Arc<Semaphore>,
    slots: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        Passwords {
            queue: Arc::new(Semaphore::new(AT_ONCE + WAITING)),
            slots: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }
}

impl Passwords {
    /// The hash of a new password, in PHC form.
    pub(super) async fn hash(&self, password: &str) -> Result<String, Error> {
        if password.chars().count() < SHORTEST || password.len() > LONGEST {
            let detail = format!("choose a password of at least {SHORTEST} characters; a few words are fine");
            return Err(Error::invalid("/password", detail));
        }
        let password = Zeroizing::new(password.to_owned());
        self.aside(move || hash(&password)).await?
    }

    /// Whether `password` belongs to `stored`. Without a stored hash it takes as long as with one, so that nobody learns
    /// which names exist.
    pub(super) async fn verify(&self, password: &str, stored: Option<String>) -> Result<bool, Error> {
        if password.len() > LONGEST {
            return Ok(false);
        }
        let password = Zeroizing::new(password.to_owned());
        self.aside(move || {
            let known = stored.is_some();
            let stored = match stored {
                Some(stored) => stored,
                None => nobodys_hash()?,
            };
            let parsed = PasswordHash::new(&stored)
                .map_err(|error| Error::Internal(format!("a stored password hash does not parse: {error}")))?;
            Ok(Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok() && known)
        })
        .await?
    }

    async fn aside<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
        let _place = self
            .queue
            .try_acquire()
            .map_err(|_| Error::Limited { seconds: COME_BACK })?;
        let slot = self.slots.clone().acquire_owned().await;
        let slot = slot.map_err(|_| Error::Internal("the password queue is closed".to_owned()))?;
        tokio::task::spawn_blocking(move || {
            let done = work();
            drop(slot);
            done
        })
        .await
        .map_err(|error| Error::Internal(format!("hashing a password ended early: {error}")))
    }
}

fn hash(password: &str) -> Result<String, Error> {
    Argon2::default()
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|error| Error::Internal(format!("a password could not be hashed: {error}")))
}

/// A hash that belongs to no account.
fn nobodys_hash() -> Result<String, Error> {
    static HASH: OnceLock<String> = OnceLock::new();
    match HASH.get() {
        Some(hash) => Ok(hash.clone()),
        None => {
            let made = hash("nobody has this password")?;
            Ok(HASH.get_or_init(|| made).clone())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_known_by_its_hash_alone() -> anyhow::Result<()> {
        let passwords = Passwords::default();
        let hash = passwords.hash("correct horse").await?;
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(passwords.verify("correct horse", Some(hash.clone())).await?);
        assert!(!passwords.verify("correct hors", Some(hash)).await?);
        assert!(!passwords.verify("nobody has this password", None).await?);
        Ok(())
    }

    #[tokio::test]
    async fn a_flood_of_sign_ins_is_sent_away() {
        let passwords = Passwords::default();
        let many = (0..200).map(|_| passwords.verify("x", None));
        let answers = futures::future::join_all(many).await;
        let limited = answers
            .iter()
            .filter(|answer| matches!(answer, Err(Error::Limited { .. })))
            .count();
        assert_eq!(limited, 200 - AT_ONCE - WAITING);
    }

    #[tokio::test]
    async fn short_and_endless_passwords_are_refused() {
        let passwords = Passwords::default();
        assert!(matches!(passwords.hash("ninechars").await, Err(Error::Invalid(_))));
        assert!(matches!(
            passwords.hash(&"x".repeat(1025)).await,
            Err(Error::Invalid(_))
        ));
    }
}
