//! Signed-in browsers, links that work once, and failed sign-ins. Secrets are kept as their SHA-256 only.

use muster_domain::{Timestamp, UserId};
use uuid::Uuid;

use crate::error::{During as _, StoreError};
use crate::tx::{Tx, on};

const ADD_SESSION: &str =
    "INSERT INTO sessions (hash, user_id, created_at, seen_at, expires_at) VALUES ($1, $2, $3, $3, $4)";
const FIND_SESSION: &str = "SELECT s.user_id, u.name, u.role, s.seen_at, s.expires_at \
    FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.hash = $1";
const SESSION_SEEN: &str = "UPDATE sessions SET seen_at = $2 WHERE hash = $1";
const DELETE_SESSION: &str = "DELETE FROM sessions WHERE hash = $1";
const DELETE_SESSIONS_OF: &str = "DELETE FROM sessions WHERE user_id = $1";
const DROP_SESSIONS: &str = "DELETE FROM sessions WHERE expires_at < $1 OR seen_at < $2";
const ADD_LINK: &str = "INSERT INTO one_time_links (hash, purpose, user_id, expires_at) VALUES ($1, $2, $3, $4)";
const USE_LINK: &str =
    "DELETE FROM one_time_links WHERE hash = $1 AND purpose = $2 AND expires_at > $3 RETURNING user_id";
const DELETE_LINKS_FOR: &str = "DELETE FROM one_time_links WHERE purpose = $1";
const DELETE_LINKS_OF: &str = "DELETE FROM one_time_links WHERE user_id = $1";
const DROP_LINKS: &str = "DELETE FROM one_time_links WHERE expires_at < $1";
const FIND_FAILURES: &str =
    "SELECT failures, last_at, blocked_until FROM sign_in_failures WHERE name = $1 AND address = $2";
const PUT_FAILURES: &str = "INSERT INTO sign_in_failures (name, address, failures, last_at, blocked_until) \
    VALUES ($1, $2, $3, $4, $5) ON CONFLICT (name, address) DO UPDATE SET failures = excluded.failures, \
    last_at = excluded.last_at, blocked_until = excluded.blocked_until";
const DELETE_FAILURES: &str = "DELETE FROM sign_in_failures WHERE name = $1 AND address = $2";
const DROP_FAILURES_BEYOND: &str = "DELETE FROM sign_in_failures WHERE (name, address) IN \
    (SELECT name, address FROM sign_in_failures ORDER BY last_at DESC LIMIT 1000 OFFSET $1)";
const DROP_FAILURES: &str = "DELETE FROM sign_in_failures WHERE last_at < $1";

/// A session with its account.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct SessionRow {
    /// The account.
    pub user_id: Uuid,
    /// Its name.
    pub name: String,
    /// Its role now.
    pub role: String,
    /// When it was last used, to the minute; microseconds since 1970.
    pub seen_at: i64,
    /// When it ends however much it is used.
    pub expires_at: i64,
}

/// Failed sign-ins of one name from one address, or of one of them together with all of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct FailuresRow {
    /// How many in a row.
    pub failures: i64,
    /// When the last one was, microseconds since 1970.
    pub last_at: i64,
    /// Until then further tries are refused.
    pub blocked_until: i64,
}

/// What a link that works once is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkPurpose {
    /// Making the first account.
    Setup,
    /// Signing one person in.
    SignIn,
}

impl LinkPurpose {
    const fn as_str(self) -> &'static str {
        match self {
            LinkPurpose::Setup => "setup",
            LinkPurpose::SignIn => "sign_in",
        }
    }
}

impl Tx {
    /// Adds a session.
    pub async fn add_session(
        &mut self,
        hash: &[u8],
        user: UserId,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        on!(self, conn => sqlx::query(ADD_SESSION)
            .bind(hash)
            .bind(user.0)
            .bind(now.as_micros())
            .bind(expires_at.as_micros())
            .execute(conn)
            .await
            .map(drop))
        .during("add a session")
    }

    /// The session with that hash.
    pub async fn session(&mut self, hash: &[u8]) -> Result<Option<SessionRow>, StoreError> {
        on!(self, conn => sqlx::query_as(FIND_SESSION).bind(hash).fetch_optional(conn).await).during("find a session")
    }

    /// Notes that a session was used.
    pub async fn session_seen(&mut self, hash: &[u8], at: Timestamp) -> Result<(), StoreError> {
        on!(self, conn => sqlx::query(SESSION_SEEN).bind(hash).bind(at.as_micros()).execute(conn).await.map(drop))
            .during("note the use of a session")
    }

    /// Ends a session.
    pub async fn delete_session(&mut self, hash: &[u8]) -> Result<(), StoreError> {
        on!(self, conn => sqlx::query(DELETE_SESSION).bind(hash).execute(conn).await.map(drop)).during("end a session")
    }

    /// Ends all sessions of an account and voids its links.
    pub async fn sign_out_everywhere(&mut self, user: UserId) -> Result<(), StoreError> {
        on!(self, conn => sqlx::query(DELETE_SESSIONS_OF).bind(user.0).execute(conn).await.map(drop))
            .during("end a user's sessions")?;
        on!(self, conn => sqlx::query(DELETE_LINKS_OF).bind(user.0).execute(conn).await.map(drop))
            .during("void a user's links")
    }

    /// Adds a link that works once, until `expires_at`.
    pub async fn add_link(
        &mut self,
        hash: &[u8],
        purpose: LinkPurpose,
        user: Option<UserId>,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        on!(self, conn => sqlx::query(ADD_LINK)
            .bind(hash)
            .bind(purpose.as_str())
            .bind(user.map(|user| user.0))
            .bind(expires_at.as_micros())
            .execute(conn)
            .await
            .map(drop))
        .during("add a link")
    }

    /// Uses a link up. `None` when it was used, has expired or never was; otherwise the account it was made for, if any.
    pub async fn use_link(
        &mut self,
        hash: &[u8],
        purpose: LinkPurpose,
        now: Timestamp,
    ) -> Result<Option<Option<UserId>>, StoreError> {
        let user: Option<Option<Uuid>> = on!(self, conn => sqlx::query_scalar(USE_LINK)
            .bind(hash)
            .bind(purpose.as_str())
            .bind(now.as_micros())
            .fetch_optional(conn)
            .await)
        .during("use a link")?;
        Ok(user.map(|user| user.map(UserId)))
    }

    /// Voids all links for one purpose.
    pub async fn delete_links(&mut self, purpose: LinkPurpose) -> Result<(), StoreError> {
        on!(self, conn => sqlx::query(DELETE_LINKS_FOR).bind(purpose.as_str()).execute(conn).await.map(drop))
            .during("void links")
    }

    /// Failed sign-ins of `name`, which callers hash, from `address`.
    pub async fn sign_in_failures(&mut self, name: &str, address: &str) -> Result<Option<FailuresRow>, StoreError> {
        on!(self, conn => sqlx::query_as(FIND_FAILURES).bind(name).bind(address).fetch_optional(conn).await)
            .during("read failed sign-ins")
    }

    /// Stores the count of failed sign-ins.
    pub async fn put_sign_in_failures(
        &mut self,
        name: &str,
        address: &str,
        row: FailuresRow,
    ) -> Result<(), StoreError> {
        on!(self, conn => sqlx::query(PUT_FAILURES)
            .bind(name)
            .bind(address)
            .bind(row.failures)
            .bind(row.last_at)
            .bind(row.blocked_until)
            .execute(conn)
            .await
            .map(drop))
        .during("count a failed sign-in")
    }

    /// Forgets failed sign-ins after one that worked.
    pub async fn forget_sign_in_failures(&mut self, name: &str, address: &str) -> Result<(), StoreError> {
        on!(self, conn => sqlx::query(DELETE_FAILURES).bind(name).bind(address).execute(conn).await.map(drop))
            .during("forget failed sign-ins")
    }

    /// Forgets the oldest failed sign-ins, at most a thousand at a time, when there are more than `most`.
    pub async fn drop_sign_in_failures_beyond(&mut self, most: i64) -> Result<(), StoreError> {
        on!(self, conn => sqlx::query(DROP_FAILURES_BEYOND).bind(most).execute(conn).await.map(drop))
            .during("drop the oldest failed sign-ins")
    }

    /// Drops sessions and links that have ended, sessions not used since `idle_since`, and failures older than that.
    pub async fn drop_ended_sessions(&mut self, now: Timestamp, idle_since: Timestamp) -> Result<u64, StoreError> {
        let dropped = on!(self, conn => sqlx::query(DROP_SESSIONS)
            .bind(now.as_micros())
            .bind(idle_since.as_micros())
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))
        .during("drop ended sessions")?;
        on!(self, conn => sqlx::query(DROP_LINKS).bind(now.as_micros()).execute(conn).await.map(drop))
            .during("drop ended links")?;
        on!(self, conn => sqlx::query(DROP_FAILURES).bind(idle_since.as_micros()).execute(conn).await.map(drop))
            .during("drop old failed sign-ins")?;
        Ok(dropped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;
    use crate::testing::both;
    use crate::users::UserRow;

    const USER: UserId = UserId(Uuid::from_u128(1));

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    async fn with_user(store: &Store) -> Tx {
        let mut tx = store.begin().await.expect("begins");
        let user = UserRow {
            id: USER.0,
            name: "ada".to_owned(),
            role: "viewer".to_owned(),
            password_hash: None,
            created_at: 1,
            signed_in_at: None,
        };
        assert!(tx.add_user(&user).await.expect("adds"));
        tx
    }

    both! {
        async fn a_session_goes_when_it_ends_is_idle_or_its_account_goes(store: &Store) {
            let mut tx = with_user(store).await;
            for (hash, seen, ends) in [(b"ended", 90, 99), (b"idle.", 10, 200), (b"alive", 90, 200)] {
                tx.add_session(hash, USER, at(1), at(ends)).await.expect("adds");
                tx.session_seen(hash, at(seen)).await.expect("notes");
            }
            assert_eq!(tx.drop_ended_sessions(at(100), at(50)).await.expect("drops"), 2);
            let alive = tx.session(b"alive").await.expect("finds").expect("is there");
            assert_eq!((alive.name.as_str(), alive.seen_at, alive.expires_at), ("ada", 90, 200));
            tx.delete_user(USER).await.expect("deletes");
            assert_eq!(tx.session(b"alive").await.expect("looks"), None);
        }

        async fn a_link_works_once_for_its_purpose_and_in_time(store: &Store) {
            let mut tx = with_user(store).await;
            tx.add_link(b"a", LinkPurpose::SignIn, Some(USER), at(100)).await.expect("adds");
            tx.add_link(b"b", LinkPurpose::Setup, None, at(100)).await.expect("adds");
            assert_eq!(tx.use_link(b"a", LinkPurpose::Setup, at(1)).await.expect("tries"), None);
            assert_eq!(tx.use_link(b"a", LinkPurpose::SignIn, at(100)).await.expect("tries"), None);
            assert_eq!(tx.use_link(b"a", LinkPurpose::SignIn, at(99)).await.expect("works"), Some(Some(USER)));
            assert_eq!(tx.use_link(b"a", LinkPurpose::SignIn, at(99)).await.expect("tries"), None);
            assert_eq!(tx.use_link(b"b", LinkPurpose::Setup, at(99)).await.expect("works"), Some(None));
        }

        async fn failures_are_counted_by_name_and_address(store: &Store) {
            let mut tx = store.begin().await.expect("begins");
            let row = FailuresRow { failures: 3, last_at: 5, blocked_until: 9 };
            tx.put_sign_in_failures("ada", "::1", FailuresRow { failures: 2, ..row }).await.expect("counts");
            tx.put_sign_in_failures("ada", "::1", row).await.expect("counts");
            assert_eq!(tx.sign_in_failures("ada", "::1").await.expect("reads"), Some(row));
            assert_eq!(tx.sign_in_failures("ada", "::2").await.expect("reads"), None);
            tx.forget_sign_in_failures("ada", "::1").await.expect("forgets");
            assert_eq!(tx.sign_in_failures("ada", "::1").await.expect("reads"), None);
            for last_at in 1..=5 {
                let old = FailuresRow { last_at, ..row };
                tx.put_sign_in_failures("ada", &format!("::{last_at}"), old).await.expect("counts");
            }
            tx.drop_sign_in_failures_beyond(2).await.expect("drops");
            let mut kept = Vec::new();
            for last_at in 1..=5 {
                kept.push(tx.sign_in_failures("ada", &format!("::{last_at}")).await.expect("reads").is_some());
            }
            assert_eq!(kept, [false, false, false, true, true], "the latest ones stay");
        }
    }
}
