//! One-time permissions to enrol an agent. Only the hash of a token is stored.

use muster_domain::{EnrolmentId, GuestId, TargetId, Timestamp};
use uuid::Uuid;

use crate::error::{During as _, StoreError};
use crate::tx::{Tx, on};

const INSERT: &str = "INSERT INTO enrolments (id, guest_id, target_id, token_hash, created_at, expires_at) \
    VALUES ($1, $2, $3, $4, $5, $6)";
const BY_HASH: &str = "SELECT * FROM enrolments WHERE token_hash = $1";
const USE: &str = "UPDATE enrolments SET used_at = $1 WHERE id = $2 AND used_at IS NULL AND expires_at > $1";
const OF_TARGET: &str = "SELECT * FROM enrolments WHERE target_id = $1 ORDER BY expires_at DESC, id DESC LIMIT 1";
const END_OF_GUEST: &str = "UPDATE enrolments SET expires_at = $1 WHERE guest_id = $2 AND used_at IS NULL \
    AND expires_at > $1";
const END_OF_TARGET: &str = "UPDATE enrolments SET expires_at = $1 WHERE target_id = $2 AND used_at IS NULL \
    AND expires_at > $1 AND expires_at <= $3";
const OPEN_OF_GUEST: &str =
    "SELECT COUNT(*) FROM enrolments WHERE guest_id = $1 AND used_at IS NULL AND expires_at > $2";
const DROP_BEFORE: &str = "DELETE FROM enrolments WHERE expires_at < $1";

/// One permission. Times are microseconds since 1970.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct EnrolmentRow {
    /// Its id.
    pub id: Uuid,
    /// The guest whose agent may enrol with it.
    pub guest_id: Uuid,
    /// The target of a job that waits for it.
    pub target_id: Option<Uuid>,
    /// SHA-256 of the token.
    pub token_hash: Vec<u8>,
    /// When it was given.
    pub created_at: i64,
    /// Not to be used from then on.
    pub expires_at: i64,
    /// When it was used.
    pub used_at: Option<i64>,
}

impl Tx {
    /// Adds a permission.
    pub async fn insert_enrolment(&mut self, enrolment: &EnrolmentRow) -> Result<(), StoreError> {
        on!(self, conn => sqlx::query(INSERT)
            .bind(enrolment.id)
            .bind(enrolment.guest_id)
            .bind(enrolment.target_id)
            .bind(&enrolment.token_hash)
            .bind(enrolment.created_at)
            .bind(enrolment.expires_at)
            .execute(conn)
            .await
            .map(drop))
        .during("add an enrolment")
    }

    /// The permission whose token has this hash, used, expired or not.
    pub async fn enrolment_by_hash(&mut self, token_hash: &[u8]) -> Result<Option<EnrolmentRow>, StoreError> {
        on!(self, conn => sqlx::query_as(BY_HASH).bind(token_hash).fetch_optional(conn).await)
            .during("read an enrolment")
    }

    /// Uses a permission up. True for exactly one caller, before it expires.
    pub async fn use_enrolment(&mut self, id: EnrolmentId, now: Timestamp) -> Result<bool, StoreError> {
        on!(self, conn => sqlx::query(USE)
            .bind(now.as_micros())
            .bind(id.0)
            .execute(conn)
            .await
            .map(|done| done.rows_affected() == 1))
        .during("use an enrolment")
    }

    /// The permission of a target that lasts longest.
    pub async fn enrolment_of_target(&mut self, target: TargetId) -> Result<Option<EnrolmentRow>, StoreError> {
        on!(self, conn => sqlx::query_as(OF_TARGET).bind(target.0).fetch_optional(conn).await)
            .during("read a target's enrolment")
    }

    /// Makes a guest's unused permissions expire now.
    pub async fn end_enrolments_of(&mut self, guest: GuestId, now: Timestamp) -> Result<(), StoreError> {
        on!(self, conn => sqlx::query(END_OF_GUEST).bind(now.as_micros()).bind(guest.0).execute(conn).await.map(drop))
            .during("end a guest's enrolments")
    }

    /// Makes a target's unused permissions expire now that would have ended by `latest` anyway.
    pub async fn end_enrolments_of_target(
        &mut self,
        target: TargetId,
        now: Timestamp,
        latest: Timestamp,
    ) -> Result<(), StoreError> {
        on!(self, conn => sqlx::query(END_OF_TARGET)
            .bind(now.as_micros())
            .bind(target.0)
            .bind(latest.as_micros())
            .execute(conn)
            .await
            .map(drop))
        .during("end a target's enrolments")
    }

    /// How many permissions of a guest can still be used.
    pub async fn open_enrolments_of(&mut self, guest: GuestId, now: Timestamp) -> Result<i64, StoreError> {
        on!(self, conn => sqlx::query_scalar(OPEN_OF_GUEST).bind(guest.0).bind(now.as_micros()).fetch_one(conn).await)
            .during("count a guest's enrolments")
    }

    /// Forgets permissions that expired before `moment`.
    pub async fn drop_enrolments_before(&mut self, moment: Timestamp) -> Result<u64, StoreError> {
        on!(self, conn => sqlx::query(DROP_BEFORE)
            .bind(moment.as_micros())
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))
        .during("drop old enrolments")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;
    use crate::testing::{both, fleet};

    const GUEST: GuestId = GuestId(Uuid::from_u128(3));
    const ENROLMENT: EnrolmentId = EnrolmentId(Uuid::from_u128(40));

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    /// A permission that ends at 100.
    async fn with_enrolment(store: &Store) -> EnrolmentRow {
        let row = EnrolmentRow {
            id: ENROLMENT.0,
            guest_id: GUEST.0,
            target_id: None,
            token_hash: vec![4; 32],
            created_at: 10,
            expires_at: 100,
            used_at: None,
        };
        let added: Result<(), StoreError> = crate::write!(store, tx => {
            tx.insert_cluster(&fleet::cluster(1, "a")).await?;
            tx.insert_node(&fleet::node(2, 1, "pve1")).await?;
            tx.insert_guest(&fleet::guest(3, 1, 2, 100)).await?;
            tx.insert_enrolment(&row).await
        });
        added.expect("adds");
        row
    }

    async fn use_it(store: &Store, now: i64) -> bool {
        let used: Result<_, StoreError> = crate::write!(store, tx => { tx.use_enrolment(ENROLMENT, at(now)).await });
        used.expect("uses")
    }

    both! {
        async fn of_many_at_once_one_may_use_it(store: &Store) {
            let row = with_enrolment(store).await;
            let tries = (0..8).map(|_| {
                let store = store.clone();
                tokio::spawn(async move { use_it(&store, 50).await })
            });
            let mut winners = 0;
            for task in tries.collect::<Vec<_>>() {
                winners += u32::from(task.await.expect("ends"));
            }
            assert_eq!(winners, 1);
            let mut tx = store.read().await.expect("reads");
            let found = tx.enrolment_by_hash(&row.token_hash).await.expect("reads").expect("exists");
            assert_eq!(found, EnrolmentRow { used_at: Some(50), ..row });
        }

        async fn it_ends_with_its_time_or_when_it_is_ended(store: &Store) {
            with_enrolment(store).await;
            assert!(!use_it(store, 100).await);
            let counts: Result<_, StoreError> = crate::write!(store, tx => {
                let before = tx.open_enrolments_of(GUEST, at(50)).await?;
                tx.end_enrolments_of_target(TargetId(Uuid::from_u128(99)), at(50), at(100)).await?;
                let other = tx.open_enrolments_of(GUEST, at(50)).await?;
                assert_eq!(other, before, "that of another target was ended");
                tx.end_enrolments_of(GUEST, at(50)).await?;
                Ok((before, tx.open_enrolments_of(GUEST, at(50)).await?))
            });
            assert_eq!(counts.expect("counts"), (1, 0));
            assert!(!use_it(store, 60).await);
            let dropped: Result<_, StoreError> = crate::write!(store, tx => {
                Ok((tx.drop_enrolments_before(at(50)).await?, tx.drop_enrolments_before(at(51)).await?))
            });
            assert_eq!(dropped.expect("drops"), (0, 1));
        }

        async fn a_token_brought_in_ends_before_the_line_of_its_target(store: &Store) {
            let line = with_enrolment(store).await;
            let target = TargetId(Uuid::from_u128(30));
            let job = crate::jobs::NewJob {
                id: muster_domain::JobId(Uuid::from_u128(9)),
                kind: "install",
                title: String::new(),
                work: serde_json::json!({}),
                cluster: None,
                concurrency_key: None,
                retry_of: None,
                at: at(10),
                created_by: "anna".to_owned(),
            };
            let new = crate::job_targets::NewTarget { id: target, guest: Some(GUEST), name: String::new(), skipped: None };
            let of_target = |id: u128, expires_at: i64| EnrolmentRow {
                id: Uuid::from_u128(id),
                target_id: Some(target.0),
                token_hash: vec![u8::try_from(id).unwrap_or_default(); 32],
                expires_at,
                ..line.clone()
            };
            let done: Result<_, StoreError> = crate::write!(store, tx => {
                tx.insert_job(&job).await?;
                tx.insert_targets(job.id, std::slice::from_ref(&new), at(10)).await?;
                tx.insert_enrolment(&of_target(41, 90)).await?;
                tx.insert_enrolment(&of_target(42, 60)).await?;
                let lasting = tx.enrolment_of_target(target).await?.map(|row| row.id);
                tx.end_enrolments_of_target(target, at(50), at(60)).await?;
                let one = tx.open_enrolments_of(GUEST, at(50)).await?;
                tx.end_enrolments_of_target(target, at(50), at(i64::MAX)).await?;
                Ok((lasting, one, tx.open_enrolments_of(GUEST, at(50)).await?))
            });
            // The first permission of `with_enrolment` is of no target and stays open.
            assert_eq!(done.expect("works"), (Some(Uuid::from_u128(41)), 2, 1));
        }
    }
}
