//! HTTP: routes, extractors, problem documents. A handler translates between a request and one use case, and decides nothing.

pub mod access;
mod access_log;
pub mod action;
pub mod codes;
mod etag;
mod event_batches;
pub mod event_views;
pub mod extract;
mod headers;
mod idempotency;
pub mod openapi;
pub mod page;
pub mod problem;
pub mod request;
mod same_origin;
pub mod serve;
pub mod session_cookie;
pub mod tls;
mod v1;
mod web;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef, Request, State};
use axum::handler::Handler as _;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::timeout::RequestBodyTimeoutLayer;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::app::events::EventTail;
use access::Classes;
use event_batches::Batches;
use event_views::EventView;
use problem::Problem;
use request::Edge;

/// Largest body of a request, in bytes, where a route does not say otherwise.
const BODY_LIMIT: usize = 1024 * 1024;
/// How long a handler may take until its answer begins. Streams begin at once.
const HANDLER_TIME: Duration = Duration::from_secs(60);

/// Longest silence while the body of a request arrives.
const BODY_TIME: Duration = Duration::from_secs(30);

/// The routes of one resource, with their description.
pub type Routes = OpenApiRouter<Site>;

/// What handlers and extractors reach. Handlers take `State<App>`.
#[derive(Clone)]
pub struct Site {
    /// The use cases.
    pub app: App,
    /// Where requests come in.
    pub edge: Edge,
    /// Where the event log ends.
    pub tail: EventTail,
    /// What events show.
    pub views: Arc<[EventView]>,
    /// What streams of events are sent next.
    pub(crate) batches: Arc<Batches>,
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
    let tail = app.follow_events();
    let views = v1::event_views().into();
    let batches = Arc::default();
    let site = Site {
        app,
        edge,
        tail,
        views,
        batches,
    };
    let (routes, api) = v1::routes().split_for_parts();
    let classes = Classes::of(&api);
    routes
        .route_layer(from_fn(etag::tag))
        .route_layer(from_fn_with_state(site.clone(), idempotency::once))
        .route_layer(from_fn_with_state((site.clone(), classes), access::check))
        .merge(crate::agents::routes())
        // Read rarely and kept by browsers: worth the time that good compression takes.
        .fallback(web::serve.layer(CompressionLayer::new()))
        .with_state(site.clone())
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(RequestBodyTimeoutLayer::new(BODY_TIME))
        .layer(from_fn_with_state(site.clone(), in_charge))
        .layer(from_fn(in_time))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(problem::finish))
        // Answers are alike all through: the quickest compression finds nearly all of it, at half the time.
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest))
        .layer(from_fn(headers::secure))
        .layer(from_fn(access_log::note))
        .layer(from_fn_with_state(site, request::inform))
}

/// A server that waits for its turn answers nothing: the active one does.
async fn in_charge(State(site): State<Site>, request: Request, next: Next) -> Response {
    if site.app.lease.is_waiting() {
        let detail =
            "this Muster is only starting, or waits because another one is active on its database: ask that one";
        return Problem::new(StatusCode::SERVICE_UNAVAILABLE, "standby", detail).into_response();
    }
    next.run(request).await
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

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::routing::get;
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn a_panic_is_a_problem_that_tells_nothing() -> anyhow::Result<()> {
        async fn fails() -> &'static str {
            panic!("hunter2")
        }
        let router: Router = Router::new()
            .route("/", get(fails))
            .layer(CatchPanicLayer::custom(panicked))
            .layer(from_fn(problem::finish));
        let answer = router.oneshot(Request::new(Body::empty())).await?;
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let text = String::from_utf8(to_bytes(answer.into_body(), usize::MAX).await?.to_vec())?;
        assert!(
            text.contains("\"code\":\"internal\"") && !text.contains("hunter2"),
            "{text}"
        );
        Ok(())
    }
}
