//! Errors on the wire: RFC 9457 problem documents with a stable `code`. The only place that knows which error has which
//! status. [`finish`] adds the request's id and turns every other error answer of the router into a problem as well.

use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::codes;
use super::request::RequestInfo;
use crate::app::Error;
use crate::app::seal::SealError;

/// The media type of problem documents.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// An error on its way to the caller. Handlers return it by `?` from [`Error`].
#[derive(Debug, Clone)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    errors: Vec<FieldProblem>,
    retry_after: Option<u64>,
}

/// One wrong field of a request body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldProblem {
    /// JSON pointer into the body, such as `/endpoints/0`.
    pub pointer: String,
    /// What is wrong and what would be right.
    pub detail: String,
}

/// A problem document (RFC 9457).
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemDocument {
    /// `urn:muster:problem:` and the code.
    pub r#type: String,
    /// What kind of problem it is.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened this time, and what to do.
    pub detail: String,
    /// Stable name for programs; docs/errors.md explains each.
    pub code: String,
    /// Stands in the server's log too.
    pub request_id: String,
    /// The wrong fields, when the body is not valid.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldProblem>,
}

impl Problem {
    /// A problem that belongs to HTTP itself and not to a use case.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Problem {
        Problem {
            status,
            code,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after: None,
        }
    }

    /// A wrong field of the body or query.
    pub fn field(code: &'static str, pointer: String, detail: String) -> Problem {
        Problem {
            errors: vec![FieldProblem {
                pointer,
                detail: detail.clone(),
            }],
            ..Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
        }
    }

    fn document(self, request_id: String) -> ProblemDocument {
        ProblemDocument {
            r#type: format!("urn:muster:problem:{}", self.code),
            title: codes::title(self.code).to_owned(),
            status: self.status.as_u16(),
            detail: self.detail,
            code: self.code.to_owned(),
            request_id,
            errors: self.errors,
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Problem {
        let detail = error.to_string();
        match error {
            Error::NotFound { .. } => Problem::new(StatusCode::NOT_FOUND, "not_found", detail),
            Error::Conflict { code, .. } => Problem::new(StatusCode::CONFLICT, code, detail),
            Error::Invalid(fields) => invalid(fields),
            Error::Unauthenticated { code, .. } => Problem::new(StatusCode::UNAUTHORIZED, code, detail),
            Error::Forbidden { .. } => Problem::new(StatusCode::FORBIDDEN, "forbidden", detail),
            Error::Limited { seconds } => Problem {
                retry_after: Some(seconds),
                ..Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_tries", detail)
            },
            Error::Upstream { code, .. } => Problem::new(StatusCode::BAD_GATEWAY, code, detail),
            Error::Unavailable { code, .. } => Problem::new(StatusCode::SERVICE_UNAVAILABLE, code, detail),
            Error::Store(source) => internal(&source),
            Error::Internal(_) => internal(&error),
        }
    }
}

impl From<muster_store::StoreError> for Problem {
    fn from(error: muster_store::StoreError) -> Problem {
        internal(&error)
    }
}

impl From<SealError> for Problem {
    fn from(error: SealError) -> Problem {
        Error::from(error).into()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// The outermost layer: writes the problem document of an error answer.
pub async fn finish(request: Request, next: Next) -> Response {
    let id = request
        .extensions()
        .get::<RequestInfo>()
        .map(|info| info.id.to_string())
        .unwrap_or_default();
    let mut response = next.run(request).await;
    let problem = match response.extensions_mut().remove::<Problem>() {
        Some(problem) => problem,
        None if is_bare_error(&response) => bare(response.status()),
        None => return response,
    };
    let retry_after = problem.retry_after;
    let (mut parts, _) = response.into_parts();
    let body = serde_json::to_vec(&problem.document(id)).unwrap_or_default();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts
        .headers
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    parts
        .headers
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(seconds) = retry_after {
        parts.headers.insert(header::RETRY_AFTER, seconds.into());
    }
    Response::from_parts(parts, body.into())
}

/// An error answer of the router or of a layer, which is no problem document yet.
fn is_bare_error(response: &Response) -> bool {
    let error = response.status().is_client_error() || response.status().is_server_error();
    let kind = response
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    error && kind.is_none_or(|kind| kind.starts_with("text/plain"))
}

fn bare(status: StatusCode) -> Problem {
    let (code, detail) = match status {
        StatusCode::NOT_FOUND => (
            "no_such_route",
            "there is nothing at this address; the API is described by openapi.yaml",
        ),
        StatusCode::METHOD_NOT_ALLOWED => (
            "method_not_allowed",
            "this address does not take this method; the header Allow names those it takes",
        ),
        StatusCode::PAYLOAD_TOO_LARGE => (
            "body_too_large",
            "the body of the request is larger than this address takes",
        ),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => ("unsupported_media_type", "send the body as application/json"),
        StatusCode::REQUEST_TIMEOUT => ("timed_out", "the request took too long to arrive"),
        status if status.is_client_error() => ("bad_request", "the request cannot be understood"),
        _ => ("internal", INTERNAL),
    };
    Problem::new(status, code, detail)
}

fn invalid(fields: Vec<crate::app::FieldError>) -> Problem {
    let errors: Vec<FieldProblem> = fields
        .into_iter()
        .map(|field| FieldProblem {
            pointer: field.pointer,
            detail: field.detail,
        })
        .collect();
    let detail = match errors.as_slice() {
        [only] => only.detail.clone(),
        several => format!("{} fields are not valid", several.len()),
    };
    Problem {
        errors,
        ..Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail)
    }
}

const INTERNAL: &str = "something failed inside Muster; the server's log has the reason under this request id";

/// Logs the whole chain here, once; the caller learns only the request id.
fn internal(error: &(dyn std::error::Error + 'static)) -> Problem {
    let chain: Vec<String> = std::iter::successors(Some(error), |error| error.source())
        .map(ToString::to_string)
        .collect();
    tracing::error!(error = %chain.join(": "), "a request failed inside Muster");
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", INTERNAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_database_says_stays_in_the_log() {
        let problem = Problem::from(Error::Internal("password=hunter2".to_owned()));
        assert_eq!(problem.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!problem.detail.contains("hunter2"));
    }
}
