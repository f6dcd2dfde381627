//! Answers kept for requests that are sent again with the same Idempotency-Key.

use muster_domain::Timestamp;

use crate::error::{During as _, StoreError};
use crate::tx::{Tx, on};

const CLAIM: &str = "INSERT INTO idempotency (caller, key, fingerprint, started_at) VALUES ($1, $2, $3, $4) \
    ON CONFLICT DO NOTHING";
const FIND: &str =
    "SELECT fingerprint, started_at, status, key_id, sealed FROM idempotency WHERE caller = $1 AND key = $2";
const KEEP: &str = "UPDATE idempotency SET status = $3, key_id = $4, sealed = $5 WHERE caller = $1 AND key = $2";
const FORGET: &str = "DELETE FROM idempotency WHERE caller = $1 AND key = $2";
const FORGET_ALL: &str = "DELETE FROM idempotency";
const DROP: &str = "DELETE FROM idempotency WHERE started_at < $1 OR (status IS NULL AND started_at < $2)";

/// What is kept under a key.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct KeptRow {
    /// SHA-256 of method, address and body of the first request.
    pub fingerprint: Vec<u8>,
    /// When it came, microseconds since 1970.
    pub started_at: i64,
    /// The status it was answered with; `None` while it is at work.
    pub status: Option<i64>,
    /// The key its answer is sealed under.
    pub key_id: Option<String>,
    /// Its answer, sealed: it may hold a secret that is shown once.
    pub sealed: Option<Vec<u8>>,
}

impl Tx {
    /// Claims a key for a request. Returns `false` when the key is in use already.
    pub async fn claim_idempotency_key(
        &mut self,
        caller: &str,
        key: &str,
        fingerprint: &[u8],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        on!(self, conn => sqlx::query(CLAIM)
            .bind(caller)
            .bind(key)
            .bind(fingerprint)
            .bind(now.as_micros())
            .execute(conn)
            .await
            .map(|done| done.rows_affected() > 0))
        .during("claim an idempotency key")
    }

    /// What is kept under a key.
    pub async fn kept_answer(&mut self, caller: &str, key: &str) -> Result<Option<KeptRow>, StoreError> {
        on!(self, conn => sqlx::query_as(FIND).bind(caller).bind(key).fetch_optional(conn).await)
            .during("read a kept answer")
    }

    /// Keeps the answer of a claimed key.
    pub async fn keep_answer(
        &mut self,
        caller: &str,
        key: &str,
        status: u16,
        key_id: &str,
        sealed: &[u8],
    ) -> Result<(), StoreError> {
        on!(self, conn => sqlx::query(KEEP)
            .bind(caller)
            .bind(key)
            .bind(i64::from(status))
            .bind(key_id)
            .bind(sealed)
            .execute(conn)
            .await
            .map(drop))
        .during("keep an answer")
    }

    /// Frees a key whose request failed, so that it may be tried again.
    pub async fn forget_answer(&mut self, caller: &str, key: &str) -> Result<(), StoreError> {
        on!(self, conn => sqlx::query(FORGET).bind(caller).bind(key).execute(conn).await.map(drop))
            .during("free an idempotency key")
    }

    /// Drops all kept answers, when the key that sealed them goes.
    pub async fn forget_answers(&mut self) -> Result<(), StoreError> {
        on!(self, conn => sqlx::query(FORGET_ALL).execute(conn).await.map(drop)).during("drop all kept answers")
    }

    /// Drops answers older than `moment`, and requests older than `abandoned` that never were answered.
    pub async fn drop_answers_before(&mut self, moment: Timestamp, abandoned: Timestamp) -> Result<u64, StoreError> {
        on!(self, conn => sqlx::query(DROP)
            .bind(moment.as_micros())
            .bind(abandoned.as_micros())
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))
        .during("drop old answers")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;
    use crate::testing::both;

    both! {
        async fn a_key_is_claimed_once_keeps_its_answer_and_ages(store: &Store) {
            let at = Timestamp::from_micros;
            let mut tx = store.begin().await.expect("begins");
            assert!(tx.claim_idempotency_key("u", "k", b"f", at(5)).await.expect("claims"));
            assert!(!tx.claim_idempotency_key("u", "k", b"g", at(6)).await.expect("is taken"));
            assert!(tx.claim_idempotency_key("other", "k", b"f", at(5)).await.expect("is another caller's"));
            tx.keep_answer("u", "k", 201, "id", b"sealed").await.expect("keeps");
            let kept = KeptRow {
                fingerprint: b"f".to_vec(),
                started_at: 5,
                status: Some(201),
                key_id: Some("id".to_owned()),
                sealed: Some(b"sealed".to_vec()),
            };
            assert_eq!(tx.kept_answer("u", "k").await.expect("reads"), Some(kept));
            assert_eq!(tx.drop_answers_before(at(5), at(6)).await.expect("drops the abandoned one"), 1);
            assert_eq!(tx.drop_answers_before(at(6), at(6)).await.expect("drops the old one"), 1);
            assert!(tx.claim_idempotency_key("u", "k", b"f", at(7)).await.expect("claims"));
            tx.forget_answer("u", "k").await.expect("frees");
            assert_eq!(tx.kept_answer("u", "k").await.expect("reads"), None);
        }
    }
}
