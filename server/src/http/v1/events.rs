//! Changes as they happen: one stream per browser, in order, each event once, resumed where it broke off.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures::stream::{self, Stream};
use serde::Deserialize;
use serde_json::json;
use tokio::time::{Instant, timeout_at};
use utoipa::IntoParams;
use utoipa_axum::routes;

use crate::app::events::EventTail;
use crate::app::{App, Ctx, Error};
use crate::http::access::caller;
use crate::http::event_batches::{Batch, Batches, Frame};
use crate::http::event_views::EventView;
use crate::http::extract::Query;
use crate::http::problem::Problem;
use crate::http::{Routes, Site};

/// A comment this often keeps proxies from cutting a quiet stream.
const PING: Duration = Duration::from_secs(20);
/// How often it is checked that the one who watches still may.
const RECHECK: Duration = Duration::from_secs(20);

pub(super) fn routes() -> Routes {
    Routes::new().routes(routes!(follow))
}

/// Where to go on.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Cursor {
    /// The last number seen. Without it the stream starts with what happens next. The header `Last-Event-ID` goes before it.
    cursor: Option<i64>,
}

/// Follow all changes as server-sent events.
///
/// The first event is `hello` with the `cursor` where the stream starts. Then each change comes once and in order: `id` is
/// its number, `event` its kind, and the data is JSON with `seq`, `kind`, `at`, mostly `id` (the thing that changed) and
/// often a view of the thing as it is now (`cluster`, `node`, `guest` or `job`). After `resync` the events since the cursor
/// are no longer there: read everything anew and go on. A comment comes every 20 seconds.
#[utoipa::path(
    get, path = "/api/v1/events", operation_id = "followEvents", tag = "events",
    extensions(("x-muster-role" = json!("viewer"))),
    params(Cursor),
    responses((status = 200, body = String, content_type = "text/event-stream", description = "Changes without end")),
)]
async fn follow(
    State(site): State<Site>,
    ctx: Ctx,
    Query(query): Query<Cursor>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let resumed = last_event_id(&headers).or(query.cursor);
    let newest = site.app.newest_event().await?;
    let cursor = resumed.unwrap_or(newest);
    let watcher = Watcher {
        app: site.app,
        tail: site.tail,
        views: site.views,
        batches: site.batches,
        ctx,
        headers,
        cursor,
        at_once: cursor > newest,
        checked: Instant::now(),
    };
    let hello = Event::default().event("hello").id(cursor.to_string());
    let hello = hello.data(json!({ "cursor": cursor }).to_string());
    let events = stream::once(async { Ok::<_, Infallible>(hello) });
    let sse = Sse::new(stream::StreamExt::chain(events, watcher.stream()))
        .keep_alive(KeepAlive::new().interval(PING).text("ping"));
    let mut response = sse.into_response();
    response
        .headers_mut()
        .insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// One open stream. It keeps nothing but the number of the last event: what is not fetched yet stays in the database.
struct Watcher {
    app: App,
    tail: EventTail,
    views: Arc<[EventView]>,
    batches: Arc<Batches>,
    ctx: Ctx,
    headers: HeaderMap,
    cursor: i64,
    /// There is something to say already: the cursor is none of this log.
    at_once: bool,
    checked: Instant,
}

impl Watcher {
    fn stream(self) -> impl Stream<Item = Result<Event, Infallible>> {
        let batches = stream::unfold(self, |mut watcher| async move {
            let events = watcher.next().await?;
            Some((stream::iter(events.into_iter().map(Ok)), watcher))
        });
        stream::StreamExt::flatten(batches)
    }

    /// The next events; `None` ends the stream.
    async fn next(&mut self) -> Option<Vec<Event>> {
        let stopping = self.app.lifecycle.stopping();
        loop {
            let at_once = std::mem::take(&mut self.at_once);
            let beyond = timeout_at(self.checked + RECHECK, self.tail.beyond(self.cursor));
            let more = tokio::select! {
                more = beyond, if !at_once => more,
                () = stopping.cancelled() => return None,
                () = std::future::ready(()), if at_once => Ok(true),
            };
            if self.checked.elapsed() >= RECHECK && !self.may_go_on().await {
                return None;
            }
            match more {
                Err(_) => {}
                Ok(false) => return None,
                Ok(true) => match self.fetch().await {
                    Ok(Some(events)) => return Some(events),
                    Ok(None) => return None,
                    Err(error) => {
                        tracing::warn!(%error, "an event stream was ended; the browser resumes it");
                        return None;
                    }
                },
            }
        }
    }

    /// `None` when the one who watches may no longer.
    async fn fetch(&mut self) -> Result<Option<Vec<Event>>, Error> {
        let batch = self.next_batch().await?;
        if batch.access_changed {
            let before = self.ctx.role();
            if !self.may_go_on().await {
                return Ok(None);
            }
            if self.ctx.role() != before {
                // It shows what the old role may do.
                let batch = self.next_batch().await?;
                return Ok(Some(self.deliver(&batch)));
            }
        }
        Ok(Some(self.deliver(&batch)))
    }

    async fn next_batch(&self) -> Result<Arc<Batch>, Error> {
        self.batches.after(&self.views, &self.app, &self.ctx, self.cursor).await
    }

    fn deliver(&mut self, batch: &Batch) -> Vec<Event> {
        self.cursor = batch.end;
        let event = |frame: &Frame| {
            let event = Event::default().event(&frame.kind).id(frame.seq.to_string());
            event.data(&frame.data)
        };
        batch.frames.iter().map(event).collect()
    }

    /// Ends the stream of a session or token that has ended, and takes over a changed role.
    async fn may_go_on(&mut self) -> bool {
        self.checked = Instant::now();
        match caller(&self.app, &self.headers).await {
            Ok(Some(caller)) => {
                self.ctx.caller = caller;
                true
            }
            Ok(None) => false,
            Err(error) => {
                tracing::warn!(%error, "it could not be checked whether an event stream may go on; it ends");
                false
            }
        }
    }
}

fn last_event_id(headers: &HeaderMap) -> Option<i64> {
    headers.get("last-event-id")?.to_str().ok()?.parse().ok()
}
