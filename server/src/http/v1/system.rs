//! Whether the server is there, and what it is.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

use crate::app::App;
use crate::http::Routes;
use crate::http::extract::Json;
use crate::http::problem::Problem;

pub(super) fn routes() -> Routes {
    Routes::new().routes(routes!(health))
}

/// Whether the server can serve.
#[derive(Debug, Serialize, ToSchema)]
struct Health {
    /// Always `ok`; anything else is a problem document.
    status: &'static str,
}

/// Whether the server can serve: its database answers.
#[utoipa::path(
    get, path = "/healthz", operation_id = "getHealth", tag = "system",
    extensions(("x-muster-role" = json!("public"))),
    responses((status = 200, body = Health, description = "It can")),
)]
async fn health(State(app): State<App>) -> Result<Json<Health>, Problem> {
    app.store.read().await?;
    Ok(Json(Health { status: "ok" }))
}
