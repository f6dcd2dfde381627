//! One request and its answer, checked in pveproxy's order.

use std::sync::Arc;

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap};
use hyper::upgrade::OnUpgrade;
use hyper::{Method, Request, Response};
use percent_encoding::percent_decode_str;

use super::answer::{Answer, Format, Payload};
use super::door::Door;
use super::upgrade::Upgrade;
use super::{login, params};
use crate::api::{self, ApiError, Errand, Late, Reply};
use crate::qga::Wish;
use crate::schema::RawParams;
use crate::site::Site;
use crate::world::Console;

/// The largest request body (pve-http-server 5.2.1 and later).
const BODY_LIMIT: usize = 512 << 10;

/// What comes of a request.
pub(super) enum Served {
    Answer(Response<Payload>),
    /// The answer that lets a client in, its connection after that, and the console it wants.
    Console(Box<(Response<Payload>, OnUpgrade, Console)>),
    /// The connection ends.
    Nothing,
}

/// Serves one request.
pub(super) async fn serve(mut request: Request<Incoming>, door: &Door, site: &Arc<Site>) -> Served {
    site.count_call(request.method(), request.uri().path());
    let takes_gzip = text(request.headers(), header::ACCEPT_ENCODING).contains("gzip");
    let fault = site.faults.of(&door.node);
    let upgrade = Upgrade::of(&mut request);
    let answer = match fault.before().await {
        Some(answer) => answer,
        None => match answer(request, door, site).await {
            Ok((Reply::Errand { errand, data }, format)) => match (errand, upgrade) {
                (Errand::Console { port }, Some(upgrade)) => return connect(upgrade, port, door, site),
                (Errand::Console { .. }, None) => Answer::of(Reply::Data { data, total: None }, format),
                (Errand::Agent { vmid, wish }, _) => Answer::of(ask_agent(site, vmid, wish).await, format),
            },
            Ok((reply, format)) => Answer::of(reply, format),
            Err(refusal) => refusal,
        },
    };
    Served::Answer(answer.respond(fault.clock(site.now()), takes_gzip, fault.breaks()))
}

/// Has something done in a machine, which may have to boot and takes its time.
async fn ask_agent(site: &Arc<Site>, vmid: u32, wish: Wish) -> Reply {
    let asked = Arc::clone(site);
    let said = tokio::task::spawn_blocking(move || asked.ask_agent(vmid, wish)).await;
    match said.map_err(anyhow::Error::from).and_then(|said| said) {
        Ok(data) => Reply::Data { data, total: None },
        Err(error) => Reply::Error(ApiError::failed(format!("Agent error: {error:#}"))),
    }
}

/// Connects to a terminal program of this node. If none waits there, not even a refusal comes.
fn connect(upgrade: Upgrade, port: u16, door: &Door, site: &Arc<Site>) -> Served {
    match site.with(|cluster, _| cluster.consoles.take(&door.node, port)) {
        Some(console) => {
            let (response, connection) = upgrade.grant();
            Served::Console(Box::new((response, connection, console)))
        }
        None => Served::Nothing,
    }
}

async fn answer(request: Request<Incoming>, door: &Door, site: &Arc<Site>) -> Result<(Reply, Format), Answer> {
    let method = request.method().clone();
    if ![Method::GET, Method::POST, Method::PUT, Method::DELETE].contains(&method) {
        return Err(Answer::bare(501, &format!("method '{method}' not available")));
    }
    if request.headers().contains_key(header::TRANSFER_ENCODING) {
        return Err(Answer::bare(501, "chunked transfer encoding not supported"));
    }
    let uri = request.uri().clone();
    let (format, path) = split_path(uri.path())?;
    let caller = log_in((&method, &path), request.headers(), site).await?;
    let sent = read_params(request, uri.query().unwrap_or_default()).await?;
    let format = match format {
        "json" => Format::Json,
        "extjs" => Format::ExtJs,
        other => return Err(Answer::plain(501, &format!("no formatter for uri {path}, {other}"))),
    };
    let reply = site.with(|cluster, now| {
        let request = api::Request {
            method: method.as_str(),
            path: &path,
            params: sent,
            caller: &caller,
            asked_node: &door.node,
        };
        api::answer(cluster, request, now)
    });
    match &reply {
        Reply::Unreachable => tokio::time::sleep(site.timing.unreachable).await,
        Reply::NotModelled => site.note_not_modelled(&method, &path),
        Reply::Error(error) => match error.late {
            Some(Late::Login) => tokio::time::sleep(site.timing.failed_login).await,
            Some(Late::Agent) => tokio::time::sleep(site.timing.silent_agent).await,
            None => {}
        },
        _ => {}
    }
    Ok((reply, format))
}

/// `/api2/json/nodes` is format `json` and path `/nodes`.
fn split_path(path: &str) -> Result<(&str, String), Answer> {
    let Some(below) = path.strip_prefix("/api2/") else {
        let path = percent_decode_str(path).decode_utf8_lossy();
        return Err(Answer::plain(500, &format!("no such file '{path}'\n")));
    };
    let (format, rest) = below.split_once('/').unwrap_or((below, ""));
    if format.is_empty() {
        return Err(Answer::plain(501, "no such uri"));
    }
    let rest = percent_decode_str(rest.trim_end_matches('/')).decode_utf8_lossy();
    Ok((format, format!("/{rest}")))
}

/// A failed login is answered late, to slow down guessing.
async fn log_in(call: (&Method, &str), headers: &HeaderMap, site: &Arc<Site>) -> Result<String, Answer> {
    match site.with(|cluster, now| login::caller(call, headers, cluster, now)) {
        Ok(caller) => Ok(caller),
        Err(reason) => {
            tokio::time::sleep(site.timing.failed_login).await;
            Err(Answer::bare(401, reason))
        }
    }
}

/// Parameters of the query and the body; the query wins.
async fn read_params(request: Request<Incoming>, query: &str) -> Result<RawParams, Answer> {
    let (head, body) = request.into_parts();
    let length: u64 = text(&head.headers, header::CONTENT_LENGTH).parse().unwrap_or(0);
    let of_query = params::of_form(query);
    if length == 0 {
        return Ok(of_query);
    }
    if ![Method::POST, Method::PUT].contains(&head.method) {
        return Err(Answer::plain(
            501,
            &format!("Unexpected content for method '{}'", head.method),
        ));
    }
    if length > BODY_LIMIT as u64 {
        return Err(Answer::plain(501, "for data too large"));
    }
    let content_type = text(&head.headers, header::CONTENT_TYPE);
    let body = match Limited::new(body, BODY_LIMIT).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return Err(Answer::plain(501, "for data too large")),
        Err(_) => return Err(Answer::bare(400, "the body ended too early")),
    };
    let mut all = params::of_body(content_type, &body)?;
    all.extend(of_query);
    Ok(all)
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> &str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}
