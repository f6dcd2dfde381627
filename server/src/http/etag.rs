//! `ETag` for what is read again and again: a caller that already has an answer gets 304 and no body.

use axum::body::{Body, HttpBody as _, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use sha2::{Digest as _, Sha256};

use super::problem::Problem;
use crate::app::Error;

/// The layer: tags whole JSON answers of GET by their content. Streams pass.
pub(super) async fn tag(request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let known = request.headers().get(header::IF_NONE_MATCH).cloned();
    let response = next.run(request).await;
    let whole = response.body().size_hint().exact().is_some();
    if !(reads && whole && response.status() == StatusCode::OK && is_json(&response)) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(body) = to_bytes(body, usize::MAX).await else {
        return Problem::from(Error::Internal("an answer broke off".to_owned())).into_response();
    };
    // Weak, since the same answer also goes out compressed.
    let tag = format!("W/\"{}\"", hex::encode(&Sha256::digest(&body)[..16]));
    if let Ok(value) = HeaderValue::try_from(&tag) {
        parts.headers.insert(header::ETAG, value);
    }
    parts
        .headers
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    if known.and_then(|known| known.to_str().map(|known| has(known, &tag)).ok()) == Some(true) {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(header::CONTENT_LENGTH);
        parts.headers.remove(header::CONTENT_TYPE);
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, body.into())
}

fn is_json(response: &Response) -> bool {
    let kind = response
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("application/json"))
}

/// Whether `If-None-Match` names the tag; weak and strong forms count as one (RFC 9110, 13.1.2).
fn has(known: &str, tag: &str) -> bool {
    let opaque = tag.trim_start_matches("W/");
    known
        .split(',')
        .map(str::trim)
        .any(|one| one == "*" || one.trim_start_matches("W/") == opaque)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn if_none_match_is_a_list_of_weak_and_strong_tags() {
        assert!(has("\"a\", W/\"b\"", "W/\"b\""));
        assert!(has("\"b\"", "W/\"b\""));
        assert!(has("*", "W/\"b\""));
        assert!(!has("\"a\"", "W/\"b\""));
    }
}
