//! What an installation fetches: the script that a pasted line names, and the agent program that the script names. Neither is
//! secret; each is recognised by its checksum.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;

use crate::app::App;
use crate::http::extract::Path;
use crate::http::problem::Problem;

/// `GET /install/{id}`: `id` is the beginning of the script's SHA-256.
pub(super) async fn script(State(app): State<App>, Path(id): Path<String>) -> Result<Response, Problem> {
    let scripts = app.install_scripts().await?;
    let found = [scripts.guest, scripts.node].into_iter().find(|script| script.id == id);
    match found {
        Some(script) => Ok(bytes("text/x-shellscript; charset=utf-8", script.text.into())),
        None => Err(Problem::new(
            StatusCode::NOT_FOUND,
            "script_outdated",
            "this script is no longer current: copy a fresh line from Muster",
        )),
    }
}

/// `GET /agent/download/{arch}`.
pub(super) async fn program(State(app): State<App>, Path(arch): Path<String>) -> Result<Response, Problem> {
    let programs = app.agent_programs().await?;
    match programs.into_iter().find(|program| program.arch == arch) {
        Some(program) => Ok(bytes("application/octet-stream", program.bytes)),
        None => Err(Problem::new(
            StatusCode::NOT_FOUND,
            "no_agent_for_architecture",
            format!("there is no agent program for {arch} here"),
        )),
    }
}

fn bytes(kind: &'static str, body: Bytes) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static(kind))], body).into_response()
}
