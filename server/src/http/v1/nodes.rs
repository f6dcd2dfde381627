//! Nodes.

use std::collections::HashMap;

use axum::extract::State;
use muster_domain::fleet::{NodeStatus, UpdatesState};
use muster_domain::{ClusterId, NodeId, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::rollup::RollupView;
use crate::app::fleet::Node;
use crate::app::{App, Ctx, Error};
use crate::http::Routes;
use crate::http::action::ActionView;
use crate::http::event_views::EventView;
use crate::http::extract::{Json, Path};
use crate::http::problem::Problem;

pub(super) fn routes() -> Routes {
    Routes::new().routes(routes!(one))
}

/// Events of nodes show the node.
pub(super) fn events() -> EventView {
    EventView::new(&["node.changed"], "node", |app: App, ctx, ids| async move {
        let mut views = HashMap::new();
        for id in ids {
            match app.node(&ctx, NodeId(id)).await {
                Ok(node) => views.insert(id, view(node)),
                Err(Error::NotFound { .. }) => None,
                Err(error) => return Err(error),
            };
        }
        Ok(views)
    })
}

/// A PVE host.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = Node)]
pub(crate) struct NodeView {
    id: NodeId,
    cluster: ClusterId,
    name: String,
    status: NodeStatus,
    /// Since when the values are old.
    stale_since: Option<Timestamp>,
    /// Its address inside the cluster.
    address: Option<String>,
    /// Its PVE version; nodes of one cluster can differ.
    version: Option<String>,
    cpus: Option<i64>,
    /// In bytes.
    memory_total: Option<i64>,
    /// In bytes, at the last listing.
    memory_used: Option<u64>,
    /// Seconds since its start.
    uptime: Option<u64>,
    /// Share of all processors in use, 0 to 1.
    cpu: Option<f64>,
    updates: NodeUpdatesView,
    rollup: RollupView,
    actions: Vec<ActionView>,
}

/// What is known of a node's own package updates.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = NodeUpdates)]
struct NodeUpdatesView {
    state: UpdatesState,
    total: Option<i64>,
    /// Null: PVE does not tell which updates close security holes.
    security: Option<i64>,
    /// Why they are not known.
    reason: Option<String>,
}

/// One node.
#[utoipa::path(
    get, path = "/api/v1/proxmox/nodes/{id}", operation_id = "getNode", tag = "clusters",
    extensions(("x-muster-role" = json!("viewer"))),
    params(("id" = NodeId, Path, description = "The node")),
    responses((status = 200, body = NodeView, description = "The node")),
)]
async fn one(State(app): State<App>, ctx: Ctx, Path(id): Path<NodeId>) -> Result<Json<NodeView>, Problem> {
    Ok(Json(view(app.node(&ctx, id).await?)))
}

/// A node as it stands in a tree.
pub(crate) fn view(node: Node) -> NodeView {
    let Node {
        row,
        load,
        rollup,
        actions,
    } = node;
    NodeView {
        id: NodeId(row.id),
        cluster: ClusterId(row.cluster_id),
        status: NodeStatus::parse(&row.status).unwrap_or(NodeStatus::Unknown),
        name: row.name,
        stale_since: row.stale_since.map(Timestamp::from_micros),
        address: row.address,
        version: row.version,
        cpus: row.cpus,
        memory_total: row.memory_total,
        memory_used: load.and_then(|load| load.memory_used),
        uptime: load.and_then(|load| load.uptime),
        cpu: load.and_then(|load| load.cpu),
        updates: NodeUpdatesView {
            state: UpdatesState::parse(&row.updates_state).unwrap_or(UpdatesState::Unknown),
            total: row.updates_total,
            security: row.updates_security,
            reason: row.updates_reason,
        },
        rollup: rollup.into(),
        actions: ActionView::all(actions),
    }
}
