//! Whether the server is there, and what it is.

use std::collections::BTreeMap;

use axum::extract::State;
use muster_domain::Timestamp;
use serde::Serialize;
use url::Url;
use utoipa::ToSchema;
use utoipa_axum::routes;

use crate::app::{App, Ctx};
use crate::http::extract::Json;
use crate::http::problem::Problem;
use crate::http::{BODY_LIMIT, Routes, page};
use crate::lifecycle::LoopStatus;

pub(super) fn routes() -> Routes {
    Routes::new().routes(routes!(health)).routes(routes!(read))
}

/// Whether the server can serve.
#[derive(Debug, Serialize, ToSchema)]
struct Health {
    /// Always `ok`; anything else is a problem document.
    status: &'static str,
}

/// What the server is and does.
#[derive(Debug, Serialize, ToSchema)]
struct System {
    /// Its version.
    version: &'static str,
    /// The address under which agents reach it; null when nobody has set it.
    agent_url: Option<Url>,
    /// Addresses of this machine on the way to the clusters, the best first.
    agent_url_guesses: Vec<Url>,
    /// `sqlite` or `postgres`.
    database: &'static str,
    /// The background loops and what each did last.
    reconcilers: Vec<Reconciler>,
    /// What is limited, by name; bytes, items or seconds as the name says.
    limits: BTreeMap<&'static str, u64>,
}

/// A background loop.
#[derive(Debug, Serialize, ToSchema)]
struct Reconciler {
    name: &'static str,
    state: ReconcilerState,
    /// Seconds between two runs that nobody asked for.
    every_seconds: u64,
    /// How often it has run since the server started.
    runs: u64,
    /// When its last run ended.
    last_run_at: Option<Timestamp>,
    /// How long that took.
    last_duration_ms: Option<u64>,
    /// What it did, or why it failed.
    detail: Option<String>,
}

/// How the last run of a loop ended.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ReconcilerState {
    /// It has not run yet.
    Waiting,
    /// It worked.
    Ok,
    /// It failed; the next run is the retry.
    Failed,
}

/// Whether the server can serve: its database answers.
#[utoipa::path(
    get, path = "/healthz", operation_id = "getHealth", tag = "system",
    extensions(("x-muster-role" = json!("public"))),
    responses((status = 200, body = Health, description = "It can")),
)]
async fn health(State(app): State<App>) -> Result<Json<Health>, Problem> {
    app.newest_event().await?;
    Ok(Json(Health { status: "ok" }))
}

/// What the server is, how agents reach it, and what its background loops did last.
#[utoipa::path(
    get, path = "/api/v1/system", operation_id = "getSystem", tag = "system",
    extensions(("x-muster-role" = json!("viewer"))),
    responses((status = 200, body = System, description = "The system")),
)]
async fn read(State(app): State<App>, ctx: Ctx) -> Result<Json<System>, Problem> {
    Ok(Json(System {
        version: env!("CARGO_PKG_VERSION"),
        agent_url: app.settings(&ctx).await?.agent_url,
        agent_url_guesses: app.agent_url_guesses(&ctx).await?,
        database: app.store.kind(),
        reconcilers: app.lifecycle.loops().into_iter().map(reconciler).collect(),
        limits: BTreeMap::from([
            ("request_body_bytes", BODY_LIMIT as u64),
            ("page_items", u64::from(page::MOST)),
        ]),
    }))
}

fn reconciler(status: LoopStatus) -> Reconciler {
    Reconciler {
        name: status.name,
        state: match (&status.last_result, &status.last_error) {
            (_, Some(_)) => ReconcilerState::Failed,
            (Some(_), None) => ReconcilerState::Ok,
            (None, None) => ReconcilerState::Waiting,
        },
        every_seconds: status.every_seconds,
        runs: status.runs,
        last_run_at: status.last_ended_at,
        last_duration_ms: status.last_duration_ms,
        detail: status.last_error.or(status.last_result),
    }
}
