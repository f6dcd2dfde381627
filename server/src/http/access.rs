//! Who may call what. Every operation of the API carries the extension `x-muster-role` with the smallest role that may call
//! it, or `public`. This layer finds out who calls, once, and refuses by that word before the handler or its extractors
//! run; an operation without the word is refused for everybody. Use cases check again, since jobs and the command line
//! call them too.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use muster_domain::access::Role;
use utoipa::openapi::OpenApi;

use super::Site;
use super::extract::sign_in_needed;
use super::problem::Problem;
use super::request::RequestInfo;
use super::same_origin::{self, Cookie};
use super::session_cookie;
use crate::app::{App, Caller, Ctx, Error};

/// The extension of an operation that names its class.
pub const EXTENSION: &str = "x-muster-role";

/// Who may call an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Everybody.
    Public,
    /// Callers with at least this role.
    Role(Role),
}

/// The class of each operation, by path template and method; `None` where nobody has decided.
#[derive(Debug, Clone, Default)]
pub struct Classes(Arc<HashMap<String, HashMap<Method, Option<Class>>>>);

/// What [`Classes`] says about a request.
enum Found {
    Class(Class),
    /// The path is known, the method not: the router will say so.
    OtherMethod,
    Undecided,
}

impl Classes {
    /// Reads them from the API's description.
    pub fn of(api: &OpenApi) -> Classes {
        let mut all: HashMap<String, HashMap<Method, Option<Class>>> = HashMap::new();
        for operation in super::openapi::operations(api) {
            let methods = all.entry(operation.path.to_owned()).or_default();
            methods.insert(operation.method.clone(), operation.class());
        }
        Classes(Arc::new(all))
    }

    fn find(&self, request: &Parts) -> Found {
        let path = request.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
        let method = match &request.method {
            &Method::HEAD => &Method::GET,
            method => method,
        };
        match self.0.get(path).map(|methods| methods.get(method)) {
            Some(Some(Some(class))) => Found::Class(*class),
            Some(None) => Found::OtherMethod,
            Some(Some(None)) | None => Found::Undecided,
        }
    }
}

impl Class {
    /// The class of that name.
    pub fn parse(name: &str) -> Option<Class> {
        match name {
            "public" => Some(Class::Public),
            name => Role::parse(name).map(Class::Role),
        }
    }
}

/// The layer around all operations of the API.
pub(super) async fn check(State((site, classes)): State<(Site, Classes)>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    match admit(&site.app, &classes, &parts).await {
        Ok(ctx) => {
            if let Some(ctx) = ctx {
                parts.extensions.insert(ctx);
            }
            next.run(Request::from_parts(parts, body)).await
        }
        Err(problem) => problem.into_response(),
    }
}

async fn admit(app: &App, classes: &Classes, request: &Parts) -> Result<Option<Ctx>, Problem> {
    let class = match classes.find(request) {
        Found::Class(class) => class,
        Found::OtherMethod => return Ok(None),
        Found::Undecided => {
            let operation = format!("{} {}", request.method, request.uri.path());
            return Err(Error::Internal(format!("{operation} has no {EXTENSION}")).into());
        }
    };
    let ctx = identify(app, request).await?;
    if let Class::Role(needed) = class {
        ctx.as_ref().ok_or_else(sign_in_needed)?.require(needed)?;
    }
    Ok(ctx)
}

/// Who calls, if anybody.
async fn identify(app: &App, request: &Parts) -> Result<Option<Ctx>, Problem> {
    let info = request
        .extensions
        .get::<RequestInfo>()
        .ok_or_else(|| Error::Internal("a request without RequestInfo".to_owned()))?;
    let cookie = match (bearer(&request.headers), session_cookie::read(&request.headers)) {
        (None, Some(_)) => Some(Cookie::Sent),
        (None, None) => Some(Cookie::None),
        // No other site can make a browser send a token.
        (Some(_), _) => None,
    };
    if let Some(cookie) = cookie {
        same_origin::check(
            &request.method,
            &request.headers,
            cookie,
            app.config.public_url.as_ref(),
        )?;
    }
    Ok(caller(app, &request.headers).await?.map(|caller| Ctx {
        caller,
        request: info.id,
    }))
}

/// Who the credentials belong to: a token in the request itself goes before a cookie that the browser added.
pub(super) async fn caller(app: &App, headers: &HeaderMap) -> Result<Option<Caller>, Error> {
    if let Some(token) = bearer(headers) {
        return app.caller_of_token(token).await;
    }
    match session_cookie::read(headers) {
        Some(cookie) => app.caller_of_session(&cookie).await,
        None => Ok(None),
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}
