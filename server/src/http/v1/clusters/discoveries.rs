//! The log of a cluster's discoveries.

use axum::extract::State;
use muster_domain::{ClusterId, DiscoveryId, Timestamp};
use muster_store::discovery_log::DiscoveryRow;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

use crate::app::{App, Error};
use crate::http::Routes;
use crate::http::extract::{Json, Path, Query};
use crate::http::page::{Page, PageQuery};
use crate::http::problem::Problem;

pub(super) fn routes() -> Routes {
    Routes::new().routes(routes!(list))
}

/// What one discovery found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Discovery)]
struct DiscoveryView {
    id: DiscoveryId,
    started_at: Timestamp,
    duration_ms: i64,
    /// `request`, `schedule` or `added`.
    trigger: String,
    nodes_found: i64,
    guests_found: i64,
    /// Seen for the first time, or again.
    new: Vec<FoundView>,
    changed: Vec<FoundView>,
    gone: Vec<FoundView>,
    /// What could not be read; the rest was.
    errors: Vec<TroubleView>,
}

/// A node or guest that a discovery tells of.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Found)]
struct FoundView {
    /// `node`, `lxc` or `qemu`.
    kind: String,
    name: String,
    #[serde(default)]
    vmid: Option<i64>,
    /// What changed, by name.
    #[serde(default)]
    facts: Vec<String>,
}

/// Something that could not be read.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Trouble)]
struct TroubleView {
    /// Null for the cluster as a whole.
    #[serde(default)]
    node: Option<String>,
    code: String,
    detail: String,
}

/// A cluster's discoveries that found something or were asked for, newest first.
#[utoipa::path(
    get, path = "/api/v1/proxmox/clusters/{id}/discoveries", operation_id = "listDiscoveries", tag = "clusters",
    extensions(("x-muster-role" = json!("viewer"))),
    params(("id" = ClusterId, Path, description = "The cluster"), PageQuery),
    responses((status = 200, body = Page<DiscoveryView>, description = "One page of the log")),
)]
async fn list(
    State(app): State<App>,
    Path(id): Path<ClusterId>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<DiscoveryView>>, Problem> {
    let before = page.cursor.as_deref().map(str::parse).transpose().map_err(|_| {
        Error::invalid(
            "/cursor",
            "this is no `next` of a page of discoveries: begin without cursor",
        )
    })?;
    let limit = page.limit();
    let mut rows = app.discoveries(id, before, limit + 1).await?;
    let shown = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > shown;
    rows.truncate(shown);
    let next = rows.last().filter(|_| more).map(|row| row.id.to_string());
    Ok(Json(Page {
        items: rows.into_iter().map(view).collect(),
        next,
    }))
}

fn view(row: DiscoveryRow) -> DiscoveryView {
    DiscoveryView {
        id: DiscoveryId(row.id),
        started_at: Timestamp::from_micros(row.started_at),
        duration_ms: row.duration_ms,
        trigger: row.started_by,
        nodes_found: row.nodes_found,
        guests_found: row.guests_found,
        new: read(row.appeared.0),
        changed: read(row.changed.0),
        gone: read(row.gone.0),
        errors: read(row.errors.0),
    }
}

/// The log keeps what was written at its time; what no longer fits is left out.
fn read<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> Vec<T> {
    serde_json::from_value(value).unwrap_or_default()
}
