//! `Idempotency-Key`: a change that is sent again with the same key is answered again and not made again. Answers are kept
//! for a day, sealed, since some hold a secret that is shown once.

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use muster_store::StoreError;
use muster_store::idempotency::KeptRow;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::problem::Problem;
use super::{BODY_LIMIT, Site};
use crate::app::retention::{ABANDONED, ANSWERS};
use crate::app::{App, Caller, Ctx, Error};

/// Longest key, in bytes.
const LONGEST_KEY: usize = 255;
/// Longest answer that is kept, in bytes.
const LONGEST_ANSWER: usize = 16 * 1024 * 1024;
/// What the answers are sealed for.
const PURPOSE: &str = "idempotency";

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// An answer as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    content_type: Option<String>,
    body: String,
}

/// The layer: claims the key, runs the request, keeps its answer; or gives the kept one.
pub(super) async fn once(State(site): State<Site>, request: Request, next: Next) -> Response {
    let key = match key_of(request.method(), request.headers()) {
        Ok(Some(key)) => key,
        Ok(None) => return next.run(request).await,
        Err(problem) => return problem.into_response(),
    };
    // Without a caller there is nobody the key belongs to: signing in is not kept.
    let Some(caller) = request.extensions().get::<Ctx>().map(caller_name) else {
        return next.run(request).await;
    };
    match run(&site.app, &caller, &key, request, next).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

async fn run(app: &App, caller: &str, key: &str, request: Request, next: Next) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, BODY_LIMIT).await.map_err(|_| too_large())?;
    let fingerprint = fingerprint(
        &parts.method,
        parts.uri.path_and_query().map_or("", |at| at.as_str()),
        &body,
    );
    let now = app.clock.now();
    let claimed: Result<Option<KeptRow>, StoreError> = muster_store::write!(app.store, tx => {
        tx.drop_answers_before(now - ANSWERS, now - ABANDONED).await?;
        if tx.claim_idempotency_key(caller, key, &fingerprint, now).await? {
            return Ok(None);
        }
        tx.kept_answer(caller, key).await
    });
    if let Some(kept) = claimed? {
        return replay(app, caller, key, &fingerprint, kept);
    }
    // In a task of its own: a caller who goes away does not end a change halfway, and finds its answer when coming back.
    let (answer, answered) = oneshot::channel();
    let (app, caller, key) = (app.clone(), caller.to_owned(), key.to_owned());
    let request = Request::from_parts(parts, Body::from(body));
    let lifecycle = app.lifecycle.clone();
    lifecycle.spawn("keyed request", async move {
        let response = next.run(request).await;
        // Nobody waits for it any more when the caller has gone.
        let _ = answer.send(keep(&app, &caller, &key, response).await);
    });
    answered
        .await
        .map_err(|_| Error::Internal("a request with an Idempotency-Key panicked".to_owned()))?
}

fn replay(app: &App, caller: &str, key: &str, fingerprint: &[u8], kept: KeptRow) -> Result<Response, Problem> {
    if kept.fingerprint != fingerprint {
        return Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "idempotency_key_reused",
            "this Idempotency-Key was used for another request: use a new key for each change",
        ));
    }
    let (Some(status), Some(key_id), Some(sealed)) = (kept.status, kept.key_id, kept.sealed) else {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "idempotency_in_progress",
            "the first request with this Idempotency-Key is still at work: try again in a moment",
        ));
    };
    let opened = app.seal.open(owner(caller, key), PURPOSE, &key_id, &sealed)?;
    let kept: Kept = serde_json::from_slice(&opened)
        .map_err(|error| Error::Internal(format!("a kept answer does not parse: {error}")))?;
    let mut response = kept.body.into_response();
    *response.status_mut() = u16::try_from(status)
        .ok()
        .and_then(|status| StatusCode::from_u16(status).ok())
        .unwrap_or(StatusCode::OK);
    response.headers_mut().remove(header::CONTENT_TYPE);
    if let Some(kind) = kept.content_type.and_then(|kind| HeaderValue::try_from(kind).ok()) {
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
    }
    response
        .headers_mut()
        .insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}

/// Keeps answers of changes that were made. A refused or failed one frees the key, so that it may be tried again.
async fn keep(app: &App, caller: &str, key: &str, response: Response) -> Result<Response, Problem> {
    if !response.status().is_success() {
        let freed: Result<(), StoreError> =
            muster_store::write!(app.store, tx => { tx.forget_answer(caller, key).await });
        freed?;
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, LONGEST_ANSWER)
        .await
        .map_err(|error| Error::Internal(format!("an answer could not be kept: {error}")))?;
    let kept = Kept {
        content_type: parts
            .headers
            .get(header::CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok())
            .map(str::to_owned),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    let plain =
        serde_json::to_vec(&kept).map_err(|error| Error::Internal(format!("an answer could not be kept: {error}")))?;
    let sealed = app.seal.seal(owner(caller, key), PURPOSE, &plain);
    let status = parts.status.as_u16();
    let stored: Result<(), StoreError> = muster_store::write!(app.store, tx => {
        tx.keep_answer(caller, key, status, &sealed.key_id, &sealed.bytes).await
    });
    stored?;
    Ok(Response::from_parts(parts, Body::from(body)))
}

fn key_of(method: &Method, headers: &HeaderMap) -> Result<Option<String>, Problem> {
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(None);
    }
    let Some(key) = headers.get(KEY) else {
        return Ok(None);
    };
    match key.to_str() {
        Ok(key) if !key.is_empty() && key.len() <= LONGEST_KEY => Ok(Some(key.to_owned())),
        _ => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "bad_request",
            "an Idempotency-Key has 1 to 255 visible ASCII characters, such as a UUID",
        )),
    }
}

fn caller_name(ctx: &Ctx) -> String {
    match &ctx.caller {
        Caller::User { id, .. } => format!("user:{id}"),
        Caller::Token { id, .. } => format!("token:{id}"),
        Caller::Agent { id, .. } => format!("agent:{id}"),
        Caller::System => "system".to_owned(),
        Caller::CommandLine => "command_line".to_owned(),
    }
}

fn fingerprint(method: &Method, address: &str, body: &Bytes) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update(method.as_str());
    hash.update([0]);
    hash.update(address);
    hash.update([0]);
    hash.update(body);
    hash.finalize().to_vec()
}

/// What the sealed answer is bound to: 16 bytes of the hash of its key.
fn owner(caller: &str, key: &str) -> Uuid {
    let hash = Sha256::digest(format!("{caller}\0{key}"));
    Uuid::from_slice(&hash[..16]).unwrap_or_default()
}

fn too_large() -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "body_too_large",
        "the body of the request is larger than this address takes",
    )
}
