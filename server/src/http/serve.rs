//! Accepting connections: plain or TLS, with limits that a slow or greedy client cannot get around.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tower::ServiceExt as _;

use super::tls::Tls;
use crate::lifecycle::Lifecycle;

/// Open connections at a time; further ones wait to be accepted.
const CONNECTIONS: usize = 16_384;
/// How long a client may take for the TLS handshake, and for the head of a request.
const HEAD_TIME: Duration = Duration::from_secs(15);
/// Pause after a failed accept, e.g. when no file descriptors are left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until the process stops; then waits for the requests at work.
pub async fn serve(listener: TcpListener, router: Router, tls: Option<Tls>, lifecycle: Lifecycle) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    let stopping = lifecycle.stopping();
    loop {
        let Ok(slot) = slots.clone().acquire_owned().await else {
            return;
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopping.cancelled() => return,
        };
        match accepted {
            Ok((stream, peer)) => {
                let (router, tls, life) = (router.clone(), tls.clone(), lifecycle.clone());
                lifecycle.spawn("connection", async move {
                    connection(stream, peer, router, tls, life).await;
                    drop(slot);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, peer: SocketAddr, router: Router, tls: Option<Tls>, lifecycle: Lifecycle) {
    // Small answers, such as events, leave at once.
    let _ = stream.set_nodelay(true);
    match tls {
        None => talk(stream, peer, router, lifecycle).await,
        Some(tls) => match tokio::time::timeout(HEAD_TIME, tls.acceptor().accept(stream)).await {
            Ok(Ok(stream)) => talk(stream, peer, router, lifecycle).await,
            Ok(Err(error)) => tracing::debug!(%peer, %error, "a TLS handshake failed"),
            Err(_) => tracing::debug!(%peer, "a TLS handshake took too long"),
        },
    }
}

async fn talk<S>(stream: S, peer: SocketAddr, router: Router, lifecycle: Lifecycle)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = hyper::service::service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request)
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let stopping = lifecycle.stopping();
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopping.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "a connection broke off");
    }
}
