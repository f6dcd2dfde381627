//! Measurements for Prometheus.

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use utoipa_axum::routes;

use crate::app::Error;
use crate::http::Routes;
use crate::http::problem::Problem;
use crate::telemetry;

pub(super) fn routes() -> Routes {
    Routes::new().routes(routes!(read))
}

/// Measurements in the text format of Prometheus.
#[utoipa::path(
    get, path = "/metrics", operation_id = "getMetrics", tag = "system",
    extensions(("x-muster-role" = json!("viewer"))),
    responses((status = 200, body = String, content_type = "text/plain", description = "All measurements")),
)]
async fn read() -> Result<Response, Problem> {
    let text = telemetry::measurements().map_err(|error| Error::Internal(format!("{error:#}")))?;
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response())
}
