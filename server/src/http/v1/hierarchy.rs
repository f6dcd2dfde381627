//! A cluster with everything below it, in one answer.

use axum::extract::State;
use muster_domain::ClusterId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::clusters::{self, ClusterView};
use super::guests::{self, GuestView};
use super::nodes::{self, NodeView};
use crate::app::{App, Ctx, fleet};
use crate::http::Routes;
use crate::http::extract::{Json, Path, Query};
use crate::http::problem::Problem;

pub(super) fn routes() -> Routes {
    Routes::new().routes(routes!(hierarchy))
}

/// A cluster with its nodes and guests, all of one moment.
#[derive(Debug, Serialize, ToSchema)]
struct Hierarchy {
    /// Number of the newest event in it: events after it are to be applied.
    cursor: i64,
    cluster: ClusterView,
    nodes: Vec<Branch>,
}

/// A node with its guests.
#[derive(Debug, Serialize, ToSchema)]
struct Branch {
    #[serde(flatten)]
    node: NodeView,
    /// Its guests by number; null with `depth=nodes`.
    guests: Option<Vec<GuestView>>,
}

/// How deep.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct HierarchyQuery {
    #[param(inline)]
    depth: Option<Depth>,
}

/// How deep the tree goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Depth {
    /// Down to the nodes: counts only.
    Nodes,
    /// Down to the guests.
    Guests,
}

/// A cluster's whole tree.
#[utoipa::path(
    get, path = "/api/v1/proxmox/clusters/{id}/hierarchy", operation_id = "getHierarchy", tag = "clusters",
    extensions(("x-muster-role" = json!("viewer"))),
    params(("id" = ClusterId, Path, description = "The cluster"), HierarchyQuery),
    responses((status = 200, body = Hierarchy, description = "The tree")),
)]
async fn hierarchy(
    State(app): State<App>,
    ctx: Ctx,
    Path(id): Path<ClusterId>,
    Query(query): Query<HierarchyQuery>,
) -> Result<Json<Hierarchy>, Problem> {
    let depth = match query.depth {
        Some(Depth::Nodes) => fleet::Depth::Nodes,
        Some(Depth::Guests) | None => fleet::Depth::Guests,
    };
    let tree = app.tree(&ctx, id, depth).await?;
    let branch = |(node, below): (_, Option<Vec<_>>)| Branch {
        node: nodes::view(node),
        guests: below.map(|all| all.into_iter().map(guests::view).collect()),
    };
    Ok(Json(Hierarchy {
        cursor: tree.cursor,
        cluster: clusters::view(tree.cluster),
        nodes: tree.nodes.into_iter().map(branch).collect(),
    }))
}
