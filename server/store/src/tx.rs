//! A transaction on whichever database is in use.

use std::collections::HashMap;

use sqlx::{Postgres, Sqlite};
use tokio::sync::watch;
use uuid::Uuid;

use crate::error::{During as _, StoreError};

/// An open transaction. Dropping it undoes what was done in it.
pub struct Tx {
    pub(crate) inner: Inner,
    /// Told at commit when the transaction published an event.
    pub(crate) published: watch::Sender<()>,
    /// The events published in it, with their numbers.
    pub(crate) events: HashMap<(String, Option<Uuid>, String), i64>,
}

pub(crate) enum Inner {
    Sqlite(sqlx::Transaction<'static, Sqlite>),
    Postgres(sqlx::Transaction<'static, Postgres>),
}

/// Runs one expression against whichever driver is in use; `$conn` is that driver's connection.
macro_rules! on {
    ($tx:expr, $conn:ident => $body:expr) => {
        match &mut $tx.inner {
            $crate::tx::Inner::Sqlite(tx) => {
                let $conn = &mut **tx;
                $body
            }
            $crate::tx::Inner::Postgres(tx) => {
                let $conn = &mut **tx;
                $body
            }
        }
    };
}
pub(crate) use on;

impl Tx {
    /// Makes everything done in the transaction last.
    pub async fn commit(self) -> Result<(), StoreError> {
        match self.inner {
            Inner::Sqlite(tx) => tx.commit().await,
            Inner::Postgres(tx) => tx.commit().await,
        }
        .during("commit")?;
        if !self.events.is_empty() {
            self.published.send_replace(());
        }
        Ok(())
    }

    /// Whether this is PostgreSQL: for the few statements that have two texts.
    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self.inner, Inner::Postgres(_))
    }
}

/// How often in all the work of one [`write!`](crate::write) is tried.
pub const ATTEMPTS: u32 = 5;

/// An error that knows whether it means "the database gave way, run the work again".
pub trait GivesWay {
    /// Whether running the same work again may succeed.
    fn gives_way(&self) -> bool;
}

impl GivesWay for StoreError {
    fn gives_way(&self) -> bool {
        self.is_conflict()
    }
}

/// Runs a block in a transaction and commits it when it ends in `Ok`:
/// `write!(store, tx => { tx.publish(…).await?; Ok(()) })`.
///
/// When the database gives way to another writer the block runs again from its start, so it does nothing but read and
/// write the database. `?` inside the block leaves the block, not the function. (A macro and not a function, since the
/// future of a closure that borrows cannot be proven to be `Send`.)
#[macro_export]
macro_rules! write {
    ($store:expr, $tx:ident => $work:block) => {{
        let mut attempt = 1;
        loop {
            let result = async {
                let mut opened = $store.begin().await?;
                let worked = {
                    let $tx = &mut opened;
                    async { $work }.await
                };
                // No `?` here: the block's error is the error of the whole, so that its type needs to be said only once.
                match worked {
                    Ok(value) => {
                        opened.commit().await?;
                        Ok(value)
                    }
                    Err(error) => Err(error),
                }
            }
            .await;
            match result {
                Err(error) if $crate::GivesWay::gives_way(&error) && attempt < $crate::ATTEMPTS => attempt += 1,
                result => break result,
            }
        }
    }};
}
