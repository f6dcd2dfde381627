//! HTTP: routes, extractors, problem documents. A handler translates between a request and one use case, and decides nothing.

pub mod access;
pub mod action;
pub mod codes;
mod etag;
pub mod extract;
mod idempotency;
pub mod openapi;
pub mod page;
pub mod problem;
pub mod request;
mod same_origin;
pub mod serve;
pub mod session_cookie;
mod v1;

use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef, Request};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use access::Classes;
use problem::Problem;
use request::Edge;

/// Largest body of a request, in bytes, where a route does not say otherwise.
const BODY_LIMIT: usize = 1024 * 1024;
/// How long a handler may take until its answer begins. Streams begin at once.
const HANDLER_TIME: Duration = Duration::from_secs(60);

/// The routes of one resource, with their description.
pub type Routes = OpenApiRouter<Site>;

/// What handlers and extractors reach. Handlers take `State<App>`.
#[derive(Clone)]
pub struct Site {
    /// The use cases.
    pub app: App,
    /// Where requests come in.
    pub edge: Edge,
}

impl FromRef<Site> for App {
    fn from_ref(site: &Site) -> App {
        site.app.clone()
    }
}

/// The description of the whole API.
pub fn describe() -> OpenApi {
    openapi::complete(v1::routes().into_openapi())
}

/// Everything that is served.
pub fn router(app: App) -> Router {
    let edge = Edge {
        tls: app.config.tls_cert.is_some(),
        trusted_proxies: app.config.trusted_proxies.clone(),
    };
    let site = Site { app, edge };
    let (routes, api) = v1::routes().split_for_parts();
    let classes = Classes::of(&api);
    routes
        .route_layer(from_fn(etag::tag))
        .route_layer(from_fn_with_state(site.clone(), idempotency::once))
        .route_layer(from_fn_with_state((site.clone(), classes), access::check))
        .with_state(site.clone())
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(from_fn(in_time))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(problem::finish))
        .layer(from_fn_with_state(site, request::inform))
}

async fn in_time(request: Request, next: Next) -> Response {
    tokio::time::timeout(HANDLER_TIME, next.run(request))
        .await
        .unwrap_or_else(|_| {
            Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "timed_out",
                "the server took too long; try again",
            )
            .into_response()
        })
}

fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    Problem::from(crate::app::Error::Internal(
        "a handler panicked; this is a bug".to_owned(),
    ))
    .into_response()
}
