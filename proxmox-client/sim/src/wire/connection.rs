//! One connection: TLS (plain HTTP is sent away), then requests until pveproxy would close it.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::HeaderValue;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tracing::debug;

use super::answer::Payload;
use super::door::Door;
use super::exchange::{self, Served};
use super::termproxy::Termproxy;
use crate::site::Site;

/// How long the beginning of a connection may take.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// How many requests one connection may carry (PVE/Service/pveproxy.pm).
const REQUESTS_PER_CONNECTION: u32 = 100;

/// The first byte of a TLS handshake.
const TLS_HANDSHAKE: u8 = 0x16;

/// Serves one connection to its end.
pub(super) async fn serve(stream: TcpStream, door: Arc<Door>, site: Arc<Site>) {
    // Small answers must not wait for a full packet.
    drop(stream.set_nodelay(true));
    let mut first = [0];
    match tokio::time::timeout(HANDSHAKE, stream.peek(&mut first)).await {
        Ok(Ok(1)) if first[0] == TLS_HANDSHAKE => serve_tls(stream, door, site).await,
        Ok(Ok(1)) => send_away(stream, &door).await,
        _ => {}
    }
}

async fn serve_tls(stream: TcpStream, door: Arc<Door>, site: Arc<Site>) {
    let accepted = tokio::time::timeout(HANDSHAKE, TlsAcceptor::from(door.tls()).accept(stream)).await;
    let stream = match accepted {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return debug!(%error, node = door.node, "no TLS"),
        Err(_) => return debug!(node = door.node, "no TLS in time"),
    };
    let served = AtomicU32::new(0);
    let console = Mutex::new(None);
    let service = service_fn(|request: Request<Incoming>| {
        let is_last = served.fetch_add(1, Ordering::Relaxed) + 1 >= REQUESTS_PER_CONNECTION;
        let (door, site, console) = (&door, &site, &console);
        async move {
            let mut response = match exchange::serve(request, door, site).await {
                Served::Answer(response) => response,
                Served::Console(granted) => {
                    let (response, connection, of) = *granted;
                    *console.lock().unwrap_or_else(PoisonError::into_inner) = Some((connection, of));
                    return Ok(response);
                }
                Served::Nothing => return Err("the connection is dropped without an answer"),
            };
            if is_last {
                response
                    .headers_mut()
                    .insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            Ok(response)
        }
    });
    if let Err(error) = http(site.timing.idle)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
        .await
    {
        debug!(%error, node = door.node, "the connection ended");
    }
    let console = console.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some((connection, console)) = console {
        let terminal = Termproxy::new(Arc::clone(&site), console);
        match connection.await {
            Ok(stream) => terminal.serve(TokioIo::new(stream)).await,
            Err(error) => debug!(%error, node = door.node, "the client of a console has gone"),
        }
    }
}

/// Answers plain HTTP with the address of the encrypted port.
async fn send_away(stream: TcpStream, door: &Door) {
    let service = service_fn(|request: Request<Incoming>| async move {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        let status = match *request.method() {
            Method::GET | Method::HEAD => StatusCode::MOVED_PERMANENTLY,
            _ => StatusCode::PERMANENT_REDIRECT,
        };
        let response = Response::builder()
            .status(status)
            .header(header::LOCATION, format!("https://{}{path}", door.address))
            .header(header::CONNECTION, "close");
        response.body(Payload::empty())
    });
    if let Err(error) = http(HANDSHAKE).serve_connection(TokioIo::new(stream), service).await {
        debug!(%error, node = door.node, "the plain connection ended");
    }
}

/// HTTP with headers as Proxmox VE writes them, over connections that end when they are idle.
fn http(idle: Duration) -> http1::Builder {
    let mut http = http1::Builder::new();
    http.title_case_headers(true)
        .auto_date_header(false)
        .timer(TokioTimer::new())
        .header_read_timeout(idle);
    http
}
