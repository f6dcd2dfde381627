//! Which server process is the active one.

use muster_domain::{ServerId, Timestamp};
use uuid::Uuid;

use crate::error::{During as _, StoreError};
use crate::tx::{Tx, on};

const NAME: &str = "active";
const TAKE: &str = "INSERT INTO server_lease (name, holder, host, expires_at) VALUES ($1, $2, $3, $4) \
    ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, host = excluded.host, expires_at = excluded.expires_at \
    WHERE server_lease.holder = excluded.holder OR server_lease.expires_at <= $5";
const FIND: &str = "SELECT holder, host, expires_at FROM server_lease WHERE name = $1";
const RELEASE: &str = "DELETE FROM server_lease WHERE name = $1 AND holder = $2";

/// The lease of the active server.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct LeaseRow {
    /// The process that holds it.
    pub holder: Uuid,
    /// Where that process runs, for people.
    pub host: String,
    /// Until then nobody else may take it; microseconds since 1970.
    pub expires_at: i64,
}

impl Tx {
    /// Takes the lease, or prolongs it, until `until`. Returns `false` while another process holds it.
    pub async fn take_server_lease(
        &mut self,
        holder: ServerId,
        host: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        on!(self, conn => sqlx::query(TAKE)
            .bind(NAME)
            .bind(holder.0)
            .bind(host)
            .bind(until.as_micros())
            .bind(now.as_micros())
            .execute(conn)
            .await
            .map(|done| done.rows_affected() > 0))
        .during("take the server lease")
    }

    /// Who holds, or last held, the lease.
    pub async fn server_lease(&mut self) -> Result<Option<LeaseRow>, StoreError> {
        on!(self, conn => sqlx::query_as(FIND).bind(NAME).fetch_optional(conn).await).during("read the server lease")
    }

    /// Gives the lease up, so that the next one need not wait.
    pub async fn release_server_lease(&mut self, holder: ServerId) -> Result<(), StoreError> {
        on!(self, conn => sqlx::query(RELEASE).bind(NAME).bind(holder.0).execute(conn).await.map(drop))
            .during("release the server lease")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;
    use crate::testing::both;

    both! {
        async fn one_holds_the_lease_until_it_expires_or_is_released(store: &Store) {
            let (a, b) = (ServerId(Uuid::from_u128(1)), ServerId(Uuid::from_u128(2)));
            let at = Timestamp::from_micros;
            let mut tx = store.begin().await.expect("begins");
            assert!(tx.take_server_lease(a, "a", at(0), at(10)).await.expect("takes"));
            assert!(!tx.take_server_lease(b, "b", at(9), at(19)).await.expect("is refused"));
            assert!(tx.take_server_lease(a, "a", at(9), at(20)).await.expect("prolongs"));
            assert!(!tx.take_server_lease(b, "b", at(19), at(29)).await.expect("is refused"));
            assert!(tx.take_server_lease(b, "b", at(20), at(30)).await.expect("takes over"));
            tx.release_server_lease(a).await.expect("does nothing to another's lease");
            assert_eq!(tx.server_lease().await.expect("reads").expect("is there").host, "b");
            tx.release_server_lease(b).await.expect("releases");
            assert!(tx.take_server_lease(a, "a", at(21), at(31)).await.expect("takes"));
        }
    }
}
