//! What streams of events are sent next. Most of them stand at the same place of the log, the end: what comes next is read
//! once for all that stand there and may see the same.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use muster_domain::access::Role;
use serde_json::json;
use tokio::sync::OnceCell;

use super::event_views::{EventView, frames};
use crate::app::events::{ACCESS_CHANGED, Following};
use crate::app::{App, Ctx, Error};

/// Events read and delivered at a time.
const LONGEST: i64 = 200;
/// Batches held. Streams that fell behind make their own.
const HELD: usize = 8;

/// The next events after one place of the log.
pub(super) struct Batch {
    /// Where they end: the next batch begins here.
    pub(super) end: i64,
    /// Whether somebody's role, session or token has changed in it.
    pub(super) access_changed: bool,
    /// The events in order.
    pub(super) frames: Vec<Frame>,
    /// Whether the same is to be said to whoever comes to this place later: not while nothing has happened after it, and not
    /// of a place that is none of this log.
    lasts: bool,
}

/// One event as it is sent.
pub(super) struct Frame {
    pub(super) kind: String,
    pub(super) seq: i64,
    /// Its JSON.
    pub(super) data: String,
}

/// The batches that were made last. What they show depends on the role of the one who watches, and on nothing else of them.
#[derive(Default)]
pub(crate) struct Batches {
    made: Mutex<BTreeMap<Key, Place>>,
}

/// Where a stream stands, and who may do what.
type Key = (i64, Option<Role>);
type Place = Arc<OnceCell<Arc<Batch>>>;

impl Batches {
    /// What comes after `cursor`. Whoever asks first reads it, the others wait and get the same: what changed meanwhile is an
    /// event after its end.
    pub(super) async fn after(
        &self,
        views: &[EventView],
        app: &App,
        ctx: &Ctx,
        cursor: i64,
    ) -> Result<Arc<Batch>, Error> {
        let key = (cursor, ctx.role());
        let place = self.place(key);
        let batch = place.get_or_try_init(|| read(views, app, ctx, cursor)).await.cloned()?;
        if !batch.lasts {
            self.made().remove(&key);
        }
        Ok(batch)
    }

    fn place(&self, key: Key) -> Place {
        let mut made = self.made();
        let place = Arc::clone(made.entry(key).or_default());
        if made.len() > HELD {
            made.pop_first();
        }
        place
    }

    fn made(&self) -> MutexGuard<'_, BTreeMap<Key, Place>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn read(views: &[EventView], app: &App, ctx: &Ctx, cursor: i64) -> Result<Arc<Batch>, Error> {
    let batch = match app.events_after(cursor, LONGEST).await? {
        Following::Resync(newest) => {
            let data = json!({ "seq": newest, "kind": "resync", "at": app.clock.now() });
            Batch {
                end: newest,
                access_changed: false,
                frames: vec![frame("resync", newest, &data)],
                lasts: false,
            }
        }
        Following::Events(mut events) => {
            let end = events.last().map_or(cursor, |event| event.seq);
            let access_changed = events.iter().any(|event| event.kind == ACCESS_CHANGED);
            events.retain(|event| event.kind != ACCESS_CHANGED);
            let shown = frames(views, app, ctx, events).await?;
            let frames = shown
                .iter()
                .map(|(event, data)| frame(&event.kind, event.seq, data))
                .collect();
            Batch {
                end,
                access_changed,
                frames,
                lasts: end > cursor,
            }
        }
    };
    Ok(Arc::new(batch))
}

fn frame(kind: &str, seq: i64, data: &serde_json::Value) -> Frame {
    Frame {
        kind: kind.to_owned(),
        seq,
        data: data.to_string(),
    }
}
