//! The events table: what changed, in the order of commits, so that a stream can be resumed at any number.

use muster_domain::Timestamp;
use sqlx::types::Json;
use uuid::Uuid;

use crate::error::{During as _, StoreError};
use crate::tx::{Tx, on};

const LOCK: &str = "SELECT pg_advisory_xact_lock(5065117)";
const PUBLISH: &str = "INSERT INTO events (at, kind, subject, facts) VALUES ($1, $2, $3, $4) RETURNING seq";
const AFTER: &str = "SELECT seq, at, kind, subject, facts FROM events WHERE seq > $1 ORDER BY seq LIMIT $2";
// Two sub-selects, since SQLite answers only a lone MIN or MAX from the index.
const BOUNDS: &str = "SELECT (SELECT MIN(seq) FROM events), (SELECT MAX(seq) FROM events)";
const DROP_BEFORE: &str = "DELETE FROM events WHERE at < $1 AND seq < (SELECT MAX(seq) FROM events)";

/// One stored event.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct EventRow {
    /// Grows in the order of commits; gaps are possible.
    pub seq: i64,
    /// When it was published, microseconds since 1970.
    pub at: i64,
    /// E.g. `guest.changed`.
    pub kind: String,
    /// The thing that changed.
    pub subject: Option<Uuid>,
    /// Small facts about the change.
    pub facts: Json<serde_json::Value>,
}

impl Tx {
    /// Adds an event; it becomes visible with the transaction. Call it last in a use case: on PostgreSQL it makes the
    /// writers of events queue until commit, which is what keeps numbers in the order of commits. Saying the same twice in
    /// one transaction says it once.
    pub async fn publish(
        &mut self,
        at: Timestamp,
        kind: &str,
        subject: Option<Uuid>,
        facts: serde_json::Value,
    ) -> Result<i64, StoreError> {
        let said = (kind.to_owned(), subject, facts.to_string());
        if let Some(seq) = self.events.get(&said) {
            return Ok(*seq);
        }
        if self.is_postgres() && self.events.is_empty() {
            on!(self, conn => sqlx::query(LOCK).execute(conn).await.map(drop)).during("queue for the event log")?;
        }
        let row = on!(self, conn => sqlx::query_scalar(PUBLISH)
            .bind(at.as_micros())
            .bind(kind)
            .bind(subject)
            .bind(Json(facts))
            .fetch_one(conn)
            .await);
        let seq = row.during("publish an event")?;
        self.events.insert(said, seq);
        Ok(seq)
    }

    /// Events after `seq`, oldest first, at most `limit`.
    pub async fn events_after(&mut self, seq: i64, limit: i64) -> Result<Vec<EventRow>, StoreError> {
        on!(self, conn => sqlx::query_as(AFTER).bind(seq).bind(limit).fetch_all(conn).await).during("read events")
    }

    /// Oldest and newest number held; `None` when there are no events.
    pub async fn event_bounds(&mut self) -> Result<Option<(i64, i64)>, StoreError> {
        let bounds: (Option<i64>, Option<i64>) =
            on!(self, conn => sqlx::query_as(BOUNDS).fetch_one(conn).await).during("read the event log's bounds")?;
        Ok(bounds.0.zip(bounds.1))
    }

    /// Forgets events older than `moment`. The newest one stays, so that the log's end is known.
    pub async fn drop_events_before(&mut self, moment: Timestamp) -> Result<u64, StoreError> {
        on!(self, conn => sqlx::query(DROP_BEFORE)
            .bind(moment.as_micros())
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))
        .during("drop old events")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;
    use crate::testing::both;

    both! {
        async fn events_come_back_in_order_and_from_any_number(store: &Store) {
            for n in 0..3 {
                let published: Result<i64, StoreError> =
                    crate::write!(store, tx => { tx.publish(Timestamp::from_micros(n), "x", None, n.into()).await });
                published.expect("publishes");
            }
            let mut tx = store.read().await.expect("reads");
            let all = tx.events_after(0, 10).await.expect("reads");
            assert_eq!(all.iter().map(|e| e.facts.0.clone()).collect::<Vec<_>>(), [0, 1, 2].map(serde_json::Value::from));
            let rest = tx.events_after(all[0].seq, 10).await.expect("reads");
            assert_eq!(rest, all[1..]);
            assert_eq!(tx.event_bounds().await.expect("reads"), Some((all[0].seq, all[2].seq)));
        }

        async fn the_same_is_said_once_in_a_transaction(store: &Store) {
            let subject = Some(Uuid::from_u128(7));
            let published: Result<(), StoreError> = crate::write!(store, tx => {
                for (kind, facts) in [("x", 1), ("x", 1), ("x", 2), ("y", 1)] {
                    tx.publish(Timestamp::from_micros(0), kind, subject, facts.into()).await?;
                }
                Ok(())
            });
            published.expect("publishes");
            let mut tx = store.read().await.expect("reads");
            let all = tx.events_after(0, 10).await.expect("reads");
            let said: Vec<_> = all.iter().map(|event| (event.kind.as_str(), event.facts.0.clone())).collect();
            assert_eq!(said, [("x", 1.into()), ("x", 2.into()), ("y", 1.into())]);
        }

        async fn old_events_go_and_the_newest_stays(store: &Store) {
            let mut tx = store.begin().await.expect("begins");
            for n in 0..3 {
                tx.publish(Timestamp::from_micros(n), "x", None, n.into()).await.expect("publishes");
            }
            let newest = tx.event_bounds().await.expect("reads").expect("has some").1;
            assert_eq!(tx.drop_events_before(Timestamp::from_micros(1)).await.expect("drops"), 1);
            assert_eq!(tx.drop_events_before(Timestamp::from_micros(9)).await.expect("drops"), 1);
            assert_eq!(tx.event_bounds().await.expect("reads"), Some((newest, newest)));
        }
    }

    /// Axum handlers and jobs need futures that may move between threads.
    #[test]
    fn a_write_may_move_between_threads() {
        fn sendable<T: Send>(_: &T) {}
        async fn writes(store: &Store, kind: &str) -> Result<i64, StoreError> {
            let facts = serde_json::json!({ "kind": kind });
            crate::write!(store, tx => {
                let first = tx.publish(Timestamp::from_micros(0), kind, None, facts.clone()).await?;
                tx.publish(Timestamp::from_micros(first), kind, None, serde_json::Value::Null).await
            })
        }
        async fn outer(store: Store, kind: String) -> Result<i64, StoreError> {
            writes(&store, &kind).await
        }
        fn check(store: Store) {
            sendable(&outer(store, String::new()));
        }
        let _ = check;
    }
}
