//! The dashboard, built into the program.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

/// What `make web` builds. `build.rs` puts a page there that says so when nobody has.
#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../web/dist"]
struct Files;

/// Addresses that programs use: there a wrong one is a problem document, not a page.
const NOT_PAGES: [&str; 5] = ["api/", "agent/", "install/", "metrics", "healthz"];

/// Answers what no route does: a file of the dashboard, or its page, which shows the rest by itself.
pub(super) async fn serve(request: Request) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if !reads || NOT_PAGES.iter().any(|start| path.starts_with(start)) {
        return StatusCode::NOT_FOUND.into_response();
    }
    if let Some(file) = Files::get(path) {
        return answer(path, file);
    }
    // A name with an ending is a file that an older page asks for; a page in its place would only confuse.
    match Files::get("index.html") {
        Some(page) if !path.rsplit('/').next().unwrap_or_default().contains('.') => answer("index.html", page),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

fn answer(path: &str, file: EmbeddedFile) -> Response {
    let kind = mime_guess::from_path(path).first_or_octet_stream();
    // Names of built assets hold a hash of their content, so they never change; everything else may.
    let caching = if path.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let mut response = Body::from(file.data).into_response();
    let headers = response.headers_mut();
    if let Ok(kind) = HeaderValue::try_from(kind.as_ref()) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    response
}
