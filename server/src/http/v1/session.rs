//! Signing in and out, and the first setup.

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use muster_domain::access::Role;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::app::accounts::Session;
use crate::app::{App, Caller, Ctx};
use crate::http::extract::{Json, MaybeCtx};
use crate::http::problem::Problem;
use crate::http::request::RequestInfo;
use crate::http::{Routes, session_cookie};

pub(super) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(current, sign_in, sign_out))
        .routes(routes!(set_up))
}

/// Who is signed in, and what the page needs to know before.
#[derive(Debug, Serialize, ToSchema)]
struct SessionView {
    /// Nobody can sign in yet: the setup link is in the server's log.
    setup_needed: bool,
    /// Who is signed in.
    user: Option<SignedIn>,
    /// Version of the server.
    version: &'static str,
    /// The clusters are simulated.
    demo: bool,
}

/// A signed-in person, or the API token that asks.
#[derive(Debug, Serialize, ToSchema)]
struct SignedIn {
    id: Uuid,
    name: String,
    role: Role,
}

/// Name and password, or a link that works once.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
enum Credentials {
    /// With a password.
    Password(PasswordCredentials),
    /// With a link.
    Link(LinkCredentials),
}

/// What a person types.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PasswordCredentials {
    name: String,
    password: String,
}

/// What stands behind `#link=` in a sign-in link.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LinkCredentials {
    link: String,
}

/// The first account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Setup {
    /// What stands behind `#token=` in the setup link.
    token: String,
    /// The name of the admin to make.
    name: String,
    /// The admin's password, at least 10 characters.
    password: String,
}

/// Who is signed in, and whether Muster has yet to be set up.
#[utoipa::path(
    get, path = "/api/v1/session", operation_id = "getSession", tag = "session",
    extensions(("x-muster-role" = json!("public"))),
    responses((status = 200, body = SessionView, description = "Who is signed in, if anybody")),
)]
async fn current(State(app): State<App>, MaybeCtx(ctx): MaybeCtx) -> Result<Json<SessionView>, Problem> {
    Ok(Json(SessionView {
        setup_needed: app.setup_needed().await?,
        user: ctx.and_then(signed_in),
        version: env!("CARGO_PKG_VERSION"),
        demo: app.config.demo,
    }))
}

/// Sign in with name and password, or with a link. Sets the session cookie.
#[utoipa::path(
    post, path = "/api/v1/session", operation_id = "signIn", tag = "session",
    extensions(("x-muster-role" = json!("public"))),
    request_body = Credentials,
    responses((status = 200, body = SignedIn, description = "Signed in")),
)]
async fn sign_in(
    State(app): State<App>,
    Extension(info): Extension<RequestInfo>,
    Json(credentials): Json<Credentials>,
) -> Result<Response, Problem> {
    let session = match &credentials {
        Credentials::Password(with) => app.sign_in(info.id, info.address, &with.name, &with.password).await?,
        Credentials::Link(with) => app.sign_in_by_link(info.id, &with.link).await?,
    };
    Ok(started(StatusCode::OK, session, info))
}

/// Sign out. Signing out without being signed in is fine.
#[utoipa::path(
    delete, path = "/api/v1/session", operation_id = "signOut", tag = "session",
    extensions(("x-muster-role" = json!("public"))),
    responses((status = 204, description = "Nobody is signed in here any more")),
)]
async fn sign_out(
    State(app): State<App>,
    Extension(info): Extension<RequestInfo>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if let Some(cookie) = session_cookie::read(&headers) {
        app.sign_out(&cookie).await?;
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    response
        .headers_mut()
        .extend(session_cookie::end(info.secure).map(|cookie| (header::SET_COOKIE, cookie)));
    Ok(response)
}

/// Make the first account with the link from the server's log, and sign it in.
#[utoipa::path(
    post, path = "/api/v1/setup", operation_id = "setUp", tag = "session",
    extensions(("x-muster-role" = json!("public"))),
    request_body = Setup,
    responses((status = 201, body = SignedIn, description = "Made and signed in")),
)]
async fn set_up(
    State(app): State<App>,
    Extension(info): Extension<RequestInfo>,
    Json(setup): Json<Setup>,
) -> Result<Response, Problem> {
    let session = app.set_up(info.id, &setup.token, &setup.name, &setup.password).await?;
    Ok(started(StatusCode::CREATED, session, info))
}

fn started(status: StatusCode, session: Session, info: RequestInfo) -> Response {
    let cookie = session_cookie::start(&session, info.secure);
    let user = SignedIn {
        id: session.user.id.0,
        name: session.user.name,
        role: session.user.role,
    };
    let mut response = (status, Json(user)).into_response();
    response
        .headers_mut()
        .extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
    response
}

fn signed_in(ctx: Ctx) -> Option<SignedIn> {
    match ctx.caller {
        Caller::User { id, name, role } => Some(SignedIn { id: id.0, name, role }),
        Caller::Token { id, name, role } => Some(SignedIn { id: id.0, name, role }),
        Caller::Agent { .. } | Caller::System | Caller::CommandLine => None,
    }
}
