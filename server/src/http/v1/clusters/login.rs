//! The user with a password that opens consoles where tokens may not.

use axum::extract::State;
use muster_domain::ClusterId;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::routes;
use zeroize::Zeroizing;

use super::{ClusterView, view};
use crate::app::{App, Ctx};
use crate::http::Routes;
use crate::http::extract::{Json, Path};
use crate::http::problem::Problem;

pub(super) fn routes() -> Routes {
    Routes::new().routes(routes!(set, remove))
}

/// A user of PVE with its password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ClusterLogin {
    /// `name@realm`, without a second factor; realm `pve` is the best.
    user: String,
    /// It is stored sealed, and never shown.
    password: String,
}

/// Give a cluster a user with a password, which opens consoles on nodes that let no token in. It is tried first.
#[utoipa::path(
    put, path = "/api/v1/proxmox/clusters/{id}/login", operation_id = "setClusterLogin", tag = "clusters",
    extensions(("x-muster-role" = json!("admin"))),
    params(("id" = ClusterId, Path, description = "The cluster")),
    request_body = ClusterLogin,
    responses((status = 200, body = ClusterView, description = "Stored, in place of an earlier one")),
)]
async fn set(
    State(app): State<App>,
    ctx: Ctx,
    Path(id): Path<ClusterId>,
    Json(body): Json<ClusterLogin>,
) -> Result<Json<ClusterView>, Problem> {
    let password = Zeroizing::new(body.password);
    Ok(Json(view(app.set_cluster_login(&ctx, id, &body.user, password).await?)))
}

/// Forget a cluster's user and its password.
#[utoipa::path(
    delete, path = "/api/v1/proxmox/clusters/{id}/login", operation_id = "removeClusterLogin", tag = "clusters",
    extensions(("x-muster-role" = json!("admin"))),
    params(("id" = ClusterId, Path, description = "The cluster")),
    responses((status = 200, body = ClusterView, description = "Forgotten")),
)]
async fn remove(State(app): State<App>, ctx: Ctx, Path(id): Path<ClusterId>) -> Result<Json<ClusterView>, Problem> {
    Ok(Json(view(app.remove_cluster_login(&ctx, id).await?)))
}
