//! Containers whose console Muster has made open a shell, until it is put back.

use muster_domain::{GuestId, Timestamp};
use uuid::Uuid;

use crate::error::{During as _, StoreError};
use crate::tx::{Tx, on};

const INSERT: &str = "INSERT INTO console_changes (guest_id, before, changed_at) VALUES ($1, $2, $3) \
    ON CONFLICT (guest_id) DO NOTHING";
const ONE: &str = "SELECT * FROM console_changes WHERE guest_id = $1";
const DONE_WITH: &str = "SELECT c.* FROM console_changes c JOIN guests g ON g.id = c.guest_id \
    WHERE g.agent_state = 'online' AND g.gone_at IS NULL ORDER BY c.changed_at LIMIT $1";
const DELETE: &str = "DELETE FROM console_changes WHERE guest_id = $1";

/// One changed console.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct ConsoleChangeRow {
    /// The container.
    pub guest_id: Uuid,
    /// What its configuration said before; none when it said nothing.
    pub before: Option<String>,
    /// When it was changed, microseconds since 1970.
    pub changed_at: i64,
}

impl Tx {
    /// Notes what a configuration said before Muster changes it. What was noted earlier stays: that is what was found.
    pub async fn note_console_change(
        &mut self,
        guest: GuestId,
        before: Option<&str>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        on!(self, conn => sqlx::query(INSERT).bind(guest.0).bind(before).bind(now.as_micros()).execute(conn).await.map(drop))
            .during("note a changed console")
    }

    /// The change of a container's console that is to be put back.
    pub async fn console_change(&mut self, guest: GuestId) -> Result<Option<ConsoleChangeRow>, StoreError> {
        on!(self, conn => sqlx::query_as(ONE).bind(guest.0).fetch_optional(conn).await).during("read a changed console")
    }

    /// Changes that are needed no longer, since the agent of their container is online; at most `limit`.
    pub async fn console_changes_done_with(&mut self, limit: i64) -> Result<Vec<ConsoleChangeRow>, StoreError> {
        on!(self, conn => sqlx::query_as(DONE_WITH).bind(limit).fetch_all(conn).await).during("read changed consoles")
    }

    /// Forgets a change that was put back.
    pub async fn forget_console_change(&mut self, guest: GuestId) -> Result<(), StoreError> {
        on!(self, conn => sqlx::query(DELETE).bind(guest.0).execute(conn).await.map(drop))
            .during("forget a changed console")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;
    use crate::guests::GuestAgent;
    use crate::testing::{both, fleet};

    const GUEST: GuestId = GuestId(Uuid::from_u128(3));

    both! {
        async fn what_was_found_first_is_put_back_when_the_agent_is_online(store: &Store) {
            let done: Result<_, StoreError> = crate::write!(store, tx => {
                tx.insert_cluster(&fleet::cluster(1, "a")).await?;
                tx.insert_node(&fleet::node(2, 1, "pve1")).await?;
                tx.insert_guest(&fleet::guest(3, 1, 2, 100)).await?;
                tx.note_console_change(GUEST, Some("console"), Timestamp::from_micros(5)).await?;
                tx.note_console_change(GUEST, Some("shell"), Timestamp::from_micros(6)).await?;
                let early = tx.console_changes_done_with(10).await?;
                let agent = GuestAgent { state: "online", version: None, seen_at: None, reason: None };
                tx.set_guest_agent(GUEST, &agent).await?;
                Ok((early, tx.console_changes_done_with(10).await?, tx.console_change(GUEST).await?))
            });
            let (early, due, one) = done.expect("works");
            assert_eq!(early, []);
            assert_eq!(due.iter().map(|row| row.before.as_deref()).collect::<Vec<_>>(), [Some("console")]);
            assert_eq!(one.as_ref(), due.first());
            let gone: Result<_, StoreError> = crate::write!(store, tx => {
                tx.forget_console_change(GUEST).await?;
                tx.console_change(GUEST).await
            });
            assert_eq!(gone.expect("forgets"), None);
        }
    }
}
