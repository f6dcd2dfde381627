//! What handlers take. Each refuses with a problem document, never with axum's plain text.

use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Site;
use super::problem::Problem;
use crate::app::{Ctx, Error};

/// A JSON body, read or answered. Unknown fields are refused where the type says so; a wrong one is named by its pointer.
#[derive(Debug, Clone, Copy, Default)]
pub struct Json<T>(pub T);

/// The query, e.g. of a list; repeated keys make lists.
#[derive(Debug, Clone, Copy, Default)]
pub struct Query<T>(pub T);

/// The parts of the path in braces.
#[derive(Debug, Clone, Copy, Default)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Site> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, site: &Site) -> Result<Self, Problem> {
        require_json(&request)?;
        let bytes = Bytes::from_request(request, site).await.map_err(unreadable)?;
        parse_json(&bytes).map(Json)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

impl<T: DeserializeOwned> FromRequestParts<Site> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Problem> {
        axum_extra::extract::Query::from_request_parts(parts, site)
            .await
            .map(|query| Query(query.0))
            .map_err(|refused| Problem::new(StatusCode::BAD_REQUEST, "invalid_query", refused.body_text()))
    }
}

impl<T: DeserializeOwned + Send> FromRequestParts<Site> for Path<T> {
    type Rejection = Problem;

    /// A path that does not parse, such as a wrong id, names nothing: 404.
    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Problem> {
        axum::extract::Path::from_request_parts(parts, site)
            .await
            .map(|path| Path(path.0))
            .map_err(|_| {
                Problem::new(
                    StatusCode::NOT_FOUND,
                    "not_found",
                    "the address holds an id that is none",
                )
            })
    }
}

/// The caller, as `access` found it out before the handler was called.
impl FromRequestParts<Site> for Ctx {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Site) -> Result<Self, Problem> {
        parts
            .extensions
            .get::<Ctx>()
            .cloned()
            .ok_or_else(|| sign_in_needed().into())
    }
}

/// The caller of a public operation, if anybody is signed in.
#[derive(Debug, Clone)]
pub struct MaybeCtx(pub Option<Ctx>);

impl FromRequestParts<Site> for MaybeCtx {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Site) -> Result<Self, Self::Rejection> {
        Ok(MaybeCtx(parts.extensions.get::<Ctx>().cloned()))
    }
}

/// What a request without valid credentials is told.
pub(super) fn sign_in_needed() -> Error {
    Error::Unauthenticated {
        code: "sign_in_needed",
        detail:
            "sign in, or send an API token as `Authorization: Bearer mst_…`; an ended session or token counts as none"
                .to_owned(),
    }
}

fn require_json(request: &Request) -> Result<(), Problem> {
    let kind = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default();
    match kind
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase()
        .as_str()
    {
        "application/json" => Ok(()),
        _ => Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "send the body as `Content-Type: application/json`",
        )),
    }
}

fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let pointer = pointer(error.path());
        let inner = error.into_inner();
        match inner.classify() {
            serde_json::error::Category::Data => Problem::field("invalid", pointer, inner.to_string()),
            _ => not_json(&inner),
        }
    })?;
    reader.end().map_err(|error| not_json(&error))?;
    Ok(value)
}

fn not_json(error: &serde_json::Error) -> Problem {
    Problem::new(
        StatusCode::BAD_REQUEST,
        "invalid_json",
        format!("the body is not JSON: {error}"),
    )
}

fn unreadable(rejection: BytesRejection) -> Problem {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            "the body of the request is larger than this address takes",
        ),
        _ => Problem::new(
            StatusCode::BAD_REQUEST,
            "bad_request",
            "the body of the request broke off",
        ),
    }
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
            Segment::Enum { .. } | Segment::Unknown => String::new(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Body {
        #[expect(dead_code, reason = "only its parsing is tested")]
        endpoints: Vec<u16>,
    }

    #[test]
    fn a_wrong_field_is_named_by_its_pointer() {
        let problem = parse_json::<Body>(br#"{"endpoints":[1,"x"]}"#).expect_err("a text is no number");
        assert!(format!("{problem:?}").contains("/endpoints/1"), "{problem:?}");
    }

    #[test]
    fn text_after_the_value_is_not_json() {
        let problem = parse_json::<Body>(br#"{"endpoints":[]} {}"#).expect_err("two values");
        assert_eq!(problem.into_response().status(), StatusCode::BAD_REQUEST);
    }
}
