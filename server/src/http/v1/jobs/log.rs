//! A job's log: as a page, or live as server-sent events that resume at any line.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::ACCEPT;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures::{Stream, StreamExt as _};
use muster_domain::{JobId, TargetId, Timestamp};
use muster_store::job_log::LogRow;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use crate::app::{App, Ctx};
use crate::http::Routes;
use crate::http::extract::{Json, Path, Query};
use crate::http::problem::Problem;

/// Lines of one page, and read at once for a stream.
const PAGE: i64 = 1000;
/// nginx closes a silent connection after 60 s.
const PING_EVERY: Duration = Duration::from_secs(20);
/// Lines that another server writes are found by looking.
const LOOK_EVERY: Duration = Duration::from_secs(1);

pub(super) fn routes() -> Routes {
    Routes::new().routes(routes!(read))
}

/// One line of a job's log.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = JobLogLine)]
struct LineView {
    /// Its number, from 1, without gaps.
    n: i64,
    at: Timestamp,
    /// `info`, `warning` or `error`.
    level: String,
    /// The target it is about.
    target: Option<TargetId>,
    text: String,
}

/// Lines of a job's log.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = JobLog)]
struct LogView {
    items: Vec<LineView>,
    /// Send it as `after` to read on; missing when the job is over and this was all.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<i64>,
}

/// Where to begin.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct LogQuery {
    /// The number of the last line you have.
    after: Option<i64>,
}

/// A job's log. With `Accept: text/event-stream` the same lines live, one event each with the line's number as id; a cut
/// stream resumes by `Last-Event-ID` or `after`, and an event `end` says that the job is over.
#[utoipa::path(
    get, path = "/api/v1/jobs/{id}/log", operation_id = "readJobLog", tag = "jobs",
    extensions(("x-muster-role" = json!("viewer"))),
    params(("id" = JobId, Path, description = "The job"), LogQuery),
    responses((status = 200, body = LogView, description = "At most 1000 lines")),
)]
async fn read(
    State(app): State<App>,
    ctx: Ctx,
    Path(id): Path<JobId>,
    Query(query): Query<LogQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let last_seen = text("last-event-id").and_then(|id| id.parse().ok());
    let after = last_seen.or(query.after).unwrap_or(0);
    let (rows, over) = app.job_log(&ctx, id, after, PAGE).await?;
    if text(ACCEPT.as_str()).is_some_and(|accept| accept.contains("text/event-stream")) {
        let pings = KeepAlive::new().interval(PING_EVERY).text("ping");
        let stream = Sse::new(live(app, ctx, id, after)).keep_alive(pings);
        return Ok(([("x-accel-buffering", "no")], stream).into_response());
    }
    let full = rows.len() >= usize::try_from(PAGE).unwrap_or(usize::MAX);
    let last = rows.last().map_or(after, |row| row.n);
    Ok(Json(LogView {
        items: rows.into_iter().map(line).collect(),
        next: (full || !over).then_some(last),
    })
    .into_response())
}

/// All lines after `n` until the job is over or the server stops.
fn live(app: App, ctx: Ctx, id: JobId, n: i64) -> impl Stream<Item = Result<Event, Infallible>> {
    let written = app.jobs.lines();
    let batches = futures::stream::unfold(Some((app, ctx, n, written)), move |state| async move {
        let (app, ctx, n, mut written) = state?;
        let stopping = app.lifecycle.stopping();
        loop {
            written.mark_unchanged();
            let (rows, over) = app.job_log(&ctx, id, n, PAGE).await.ok()?;
            if let Some(last) = rows.last().map(|row| row.n) {
                let events = rows.into_iter().map(event).collect::<Vec<_>>();
                return Some((events, Some((app, ctx, last, written))));
            }
            if over {
                let end = Event::default().event("end").data("{}");
                return Some((vec![end], None));
            }
            tokio::select! {
                () = stopping.cancelled() => return None,
                _ = written.changed() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    });
    batches.flat_map(|events| futures::stream::iter(events.into_iter().map(Ok)))
}

fn event(row: LogRow) -> Event {
    let id = row.n.to_string();
    let data = serde_json::to_string(&line(row)).unwrap_or_default();
    Event::default().id(id).event("line").data(data)
}

fn line(row: LogRow) -> LineView {
    LineView {
        n: row.n,
        at: Timestamp::from_micros(row.at),
        level: row.level,
        target: row.target_id.map(TargetId),
        text: row.text,
    }
}
