//! The event log: what changed, for everybody who watches. Writers call `Tx::publish` in the transaction of the change.

use std::time::Duration;

use muster_store::events::EventRow;
use tokio::sync::watch;

use super::{App, Error};

/// A role, a session or a token has changed: open streams look again at who may watch. Not delivered to anybody.
pub const ACCESS_CHANGED: &str = "access.changed";

/// How long an event can be caught up with. Who was away longer reads everything anew.
pub(super) const KEPT: Duration = Duration::from_secs(2 * 24 * 3600);
/// How often the log is looked at without being told: other processes, such as the command line, write to it too.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Who is further behind reads everything anew, which is less work for both sides.
const MOST_BEHIND: i64 = 5000;

/// Where the log ends now, for all streams of this process.
#[derive(Clone)]
pub struct EventTail {
    newest: watch::Receiver<i64>,
}

/// The next events of a stream.
#[derive(Debug, PartialEq)]
pub enum Following {
    /// In order, none left out; empty when there is nothing new.
    Events(Vec<EventRow>),
    /// The stream has fallen too far back: read everything anew and go on from this number.
    Resync(i64),
}

impl EventTail {
    /// Waits until the log goes beyond `seq`. Returns `false` when the process stops.
    pub async fn beyond(&mut self, seq: i64) -> bool {
        self.newest.wait_for(|newest| *newest > seq).await.is_ok()
    }
}

impl App {
    /// Starts to watch the end of the log.
    pub fn follow_events(&self) -> EventTail {
        let (tell, newest) = watch::channel(-1);
        let (app, stopping) = (self.clone(), self.lifecycle.stopping());
        let mut published = self.store.published();
        self.lifecycle.spawn("events", async move {
            while !stopping.is_cancelled() {
                match app.newest_event().await {
                    Ok(seq) => {
                        tell.send_if_modified(|newest| std::mem::replace(newest, seq) != seq);
                    }
                    Err(error) => tracing::warn!(%error, "the event log could not be read; trying again"),
                }
                tokio::select! {
                    () = stopping.cancelled() => {}
                    _ = published.changed() => {}
                    () = tokio::time::sleep(LOOK_EVERY) => {}
                }
            }
        });
        EventTail { newest }
    }

    /// The number of the newest event; 0 before the first.
    pub async fn newest_event(&self) -> Result<i64, Error> {
        let bounds = self.store.read().await?.event_bounds().await?;
        Ok(bounds.map_or(0, |(_, newest)| newest))
    }

    /// What comes after `seq`, at most `limit` events.
    pub async fn events_after(&self, seq: i64, limit: i64) -> Result<Following, Error> {
        let mut tx = self.store.read().await?;
        let (oldest, newest) = tx.event_bounds().await?.unwrap_or((1, 0));
        // Events are dropped from the old end, so whoever has seen the one before the oldest has missed nothing. A number
        // beyond the newest comes from another database.
        if seq < oldest - 1 || seq > newest || newest - seq > MOST_BEHIND {
            return Ok(Following::Resync(newest));
        }
        Ok(Following::Events(tx.events_after(seq, limit).await?))
    }

    /// Drops events that nobody can catch up with any more; returns how many.
    pub async fn drop_old_events(&self) -> Result<u64, Error> {
        let now = self.clock.now();
        muster_store::write!(self.store, tx => { Ok(tx.drop_events_before(now - KEPT).await?) })
    }
}
