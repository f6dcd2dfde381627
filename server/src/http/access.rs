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
        Err(error) => Problem::from(error).into_response(),
    }
}

async fn admit(app: &App, classes: &Classes, request: &Parts) -> Result<Option<Ctx>, Error> {
    let class = match classes.find(request) {
        Found::Class(class) => class,
        Found::OtherMethod => return Ok(None),
        Found::Undecided => {
            let operation = format!("{} {}", request.method, request.uri.path());
            return Err(Error::Internal(format!("{operation} has no {EXTENSION}")));
        }
    };
    let ctx = identify(app, request).await?;
    if let Class::Role(needed) = class {
        ctx.as_ref().ok_or_else(sign_in_needed)?.require(needed)?;
    }
    Ok(ctx)
}

async fn identify(app: &App, request: &Parts) -> Result<Option<Ctx>, Error> {
    let Some(info) = request.extensions.get::<RequestInfo>() else {
        return Err(Error::Internal("a request without RequestInfo".to_owned()));
    };
    let caller = caller(app, &request.headers).await?;
    Ok(caller.map(|caller| Ctx {
        caller,
        request: info.id,
    }))
}

async fn caller(app: &App, headers: &HeaderMap) -> Result<Option<Caller>, Error> {
    match bearer(headers) {
        Some(token) => app.caller_of_token(token).await,
        None => Ok(None),
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}
