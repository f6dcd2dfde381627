//! Who works in a guest through PVE: one holder at a time, by a lease.

use muster_domain::{GuestId, Timestamp};
use uuid::Uuid;

use crate::error::{During as _, StoreError};
use crate::tx::{Tx, on};

const TAKE: &str = "INSERT INTO guest_locks (guest_id, holder, expires_at) VALUES ($1, $2, $3) \
    ON CONFLICT (guest_id) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at \
    WHERE guest_locks.holder = excluded.holder OR guest_locks.expires_at <= $4";
const RELEASE: &str = "DELETE FROM guest_locks WHERE guest_id = $1 AND holder = $2";

impl Tx {
    /// Takes a guest's lock, or prolongs it, until `until`. False while another holder has it.
    pub async fn take_guest_lock(
        &mut self,
        guest: GuestId,
        holder: Uuid,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        on!(self, conn => sqlx::query(TAKE)
            .bind(guest.0)
            .bind(holder)
            .bind(until.as_micros())
            .bind(now.as_micros())
            .execute(conn)
            .await
            .map(|done| done.rows_affected() > 0))
        .during("take a guest's lock")
    }

    /// Gives a guest's lock up, if this holder has it.
    pub async fn release_guest_lock(&mut self, guest: GuestId, holder: Uuid) -> Result<(), StoreError> {
        on!(self, conn => sqlx::query(RELEASE).bind(guest.0).bind(holder).execute(conn).await.map(drop))
            .during("release a guest's lock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;
    use crate::testing::{both, fleet};

    const GUEST: GuestId = GuestId(Uuid::from_u128(3));

    async fn take(store: &Store, holder: u128, now: i64, until: i64) -> bool {
        let (now, until) = (Timestamp::from_micros(now), Timestamp::from_micros(until));
        let taken: Result<bool, StoreError> =
            crate::write!(store, tx => { tx.take_guest_lock(GUEST, Uuid::from_u128(holder), now, until).await });
        taken.expect("takes")
    }

    both! {
        async fn one_holder_at_a_time_until_its_lease_ends(store: &Store) {
            let added: Result<(), StoreError> = crate::write!(store, tx => {
                tx.insert_cluster(&fleet::cluster(1, "a")).await?;
                tx.insert_node(&fleet::node(2, 1, "pve1")).await?;
                tx.insert_guest(&fleet::guest(3, 1, 2, 100)).await
            });
            added.expect("adds");
            assert!(take(store, 1, 0, 10).await);
            assert!(take(store, 1, 5, 15).await, "its holder prolongs it");
            assert!(!take(store, 2, 14, 20).await);
            assert!(take(store, 2, 15, 20).await);
            let released: Result<(), StoreError> = crate::write!(store, tx => {
                tx.release_guest_lock(GUEST, Uuid::from_u128(1)).await?;
                assert!(!tx.take_guest_lock(GUEST, Uuid::from_u128(1), Timestamp::from_micros(16), Timestamp::from_micros(30)).await?);
                tx.release_guest_lock(GUEST, Uuid::from_u128(2)).await
            });
            released.expect("releases");
            assert!(take(store, 1, 17, 20).await);
        }
    }
}
