//! One line and one measurement per request. The line has the route's template and never the query.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument as _;

use super::request::RequestInfo;

/// The layer that writes both.
pub(super) async fn note(request: Request, next: Next) -> Response {
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("-", MatchedPath::as_str)
        .to_owned();
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let info = request.extensions().get::<RequestInfo>().copied();
    let id = info.map(|info| info.id.to_string()).unwrap_or_default();
    let span = tracing::info_span!("request", id = %id);
    let started = Instant::now();
    let response = next.run(request).instrument(span.clone()).await;
    let (took, status) = (started.elapsed(), response.status());
    measure(&route, method.as_str(), status, took.as_secs_f64());
    let address = info.map(|info| info.address.to_string()).unwrap_or_default();
    let millis = took.as_millis();
    span.in_scope(|| {
        if route == "/healthz" {
            tracing::debug!(%method, path, status = status.as_u16(), duration_ms = millis, address, "answered");
        } else {
            tracing::info!(%method, path, status = status.as_u16(), duration_ms = millis, address, "answered");
        }
    });
    response
}

fn measure(route: &str, method: &str, status: StatusCode, seconds: f64) {
    let labels = [
        ("route", route.to_owned()),
        ("method", method.to_owned()),
        ("status", status.as_u16().to_string()),
    ];
    metrics::counter!("muster_http_requests_total", &labels).increment(1);
    metrics::histogram!("muster_http_request_seconds", &labels[..2]).record(seconds);
}
