//! One server is active on a database. A second one waits and takes over when the first has gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use muster_domain::{ServerId, Timestamp};
use muster_store::server_lease::LeaseRow;
use tokio::time::sleep;

use super::{App, Error};

/// How long a server that gave no sign of life keeps the lease. Another one takes over within this time.
const LASTS: Duration = Duration::from_secs(12);
/// How often the active server prolongs the lease, and a waiting one asks for it.
const EVERY: Duration = Duration::from_secs(3);

/// This process's share in the lease. Cheap to clone.
#[derive(Clone)]
pub struct ServerLease {
    id: ServerId,
    waiting: Arc<AtomicBool>,
}

impl ServerLease {
    pub(super) fn new(id: ServerId) -> ServerLease {
        ServerLease {
            id,
            waiting: Arc::default(),
        }
    }

    /// Whether this one is not active yet: it then answers no request.
    pub fn is_waiting(&self) -> bool {
        self.waiting.load(Ordering::Relaxed)
    }

    /// From here on this process is to answer nothing until it is [`active`](Self::active).
    pub fn wait(&self) {
        self.waiting.store(true, Ordering::Relaxed);
    }

    /// This process has the lease, and the tables are as it needs them.
    pub fn active(&self) {
        self.waiting.store(false, Ordering::Relaxed);
    }
}

impl App {
    /// Waits until this process holds the lease. Returns `false` when it was asked to stop before.
    pub async fn wait_for_lease(&self) -> Result<bool, Error> {
        let stopping = self.lifecycle.stopping();
        let mut told = false;
        while let Some(holder) = self.try_lease().await? {
            if !std::mem::replace(&mut told, true) {
                tracing::warn!(
                    active = holder.host,
                    "another Muster is active on this database; this one waits and takes over when that one has gone"
                );
            }
            tokio::select! {
                () = stopping.cancelled() => return Ok(false),
                () = sleep(EVERY) => {}
            }
        }
        if told {
            tracing::info!("the other Muster has gone; this one is active now");
        }
        Ok(!stopping.is_cancelled())
    }

    /// Prolongs the lease until the process stops, then gives it up. Losing it ends the process: another server acts.
    pub async fn hold_lease(&self) {
        let stopping = self.lifecycle.stopping();
        let mut held_since = self.clock.now();
        loop {
            tokio::select! {
                () = stopping.cancelled() => break,
                () = sleep(EVERY) => {}
            }
            let now = self.clock.now();
            match self.try_lease().await {
                Ok(None) => held_since = now,
                Ok(Some(other)) => {
                    tracing::error!(
                        active = other.host,
                        "another Muster has become active on this database; this one ends"
                    );
                    return self.lifecycle.stop();
                }
                Err(error) if now.since(held_since) >= LASTS => {
                    tracing::error!(%error, "the database could not be reached for so long that another Muster may be active; this one ends");
                    return self.lifecycle.stop();
                }
                Err(error) => tracing::warn!(%error, "the server lease could not be prolonged; trying again"),
            }
        }
    }

    /// Gives the lease up, when all work has ended.
    pub async fn release_lease(&self) -> Result<(), Error> {
        let id = self.lease.id;
        muster_store::write!(self.store, tx => { tx.release_server_lease(id).await.map_err(Error::from) })
    }

    /// The lease of another server that is active now.
    pub async fn active_server(&self) -> Result<Option<LeaseRow>, Error> {
        let now = self.clock.now();
        let row = self.store.read().await?.server_lease().await?;
        Ok(row.filter(|row| row.holder != self.lease.id.0 && Timestamp::from_micros(row.expires_at) > now))
    }

    /// Takes or prolongs the lease; otherwise says who holds it.
    async fn try_lease(&self) -> Result<Option<LeaseRow>, Error> {
        let (id, now) = (self.lease.id, self.clock.now());
        let host = host();
        muster_store::write!(self.store, tx => {
            if tx.take_server_lease(id, &host, now, now + LASTS).await? {
                return Ok(None);
            }
            Ok(tx.server_lease().await?)
        })
    }
}

/// Where this process runs, for the log of the other one.
fn host() -> String {
    let name = rustix::system::uname();
    format!(
        "process {} on {}",
        std::process::id(),
        name.nodename().to_string_lossy()
    )
}
