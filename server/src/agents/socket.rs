//! A WebSocket that speaks the agent protocol: typed messages, size limits, a deadline on every send.
//!
//! The upgrade is done here and not by axum's extractor, for two reasons: a peer that has not proven who it is may send small
//! messages only, and the task is spawned by `lifecycle` like every other.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use futures::{SinkExt as _, StreamExt as _};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use muster_protocol::{AgentMessage, MAX_MESSAGE_BYTES, ServerMessage};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

/// Largest message of a peer that has not proven who it is, in bytes.
const HELLO_BYTES: usize = 8 * 1024;
/// Buffers of a link. Most messages are tiny, and there may be thousands of links.
const BUFFER: usize = 4 * 1024;
/// How long the peer may take to accept one message.
const SEND_TIME: Duration = Duration::from_secs(10);

/// A request for a WebSocket, accepted but not yet carried out.
pub(super) struct Accepted {
    upgrade: OnUpgrade,
    key: HeaderValue,
}

/// The socket of one agent.
pub(super) struct Socket {
    stream: WebSocketStream<TokioIo<Upgraded>>,
}

/// Why a link ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum Ended {
    /// The peer closed it.
    #[error("the agent closed the link")]
    Closed,
    /// The connection broke, or the peer does not speak WebSocket.
    #[error("the link broke: {0}")]
    Broken(#[from] Box<Error>),
    /// A message that means nothing.
    #[error("the agent sent a message that means nothing: {0}")]
    Meaningless(String),
    /// The peer does not take what it is sent.
    #[error("the agent did not take a message within {} s", SEND_TIME.as_secs())]
    Stuck,
}

impl Accepted {
    /// Takes a request that asks for a WebSocket; `None` when it asks for something else.
    pub(super) fn take(request: &mut axum::extract::Request) -> Option<Accepted> {
        let headers = request.headers();
        let asks = request.method() == Method::GET
            && says(headers, header::CONNECTION, "upgrade")
            && says(headers, header::UPGRADE, "websocket")
            && says(headers, header::SEC_WEBSOCKET_VERSION, "13");
        let key = headers.get(header::SEC_WEBSOCKET_KEY).filter(|_| asks)?.clone();
        let upgrade = request.extensions_mut().remove::<OnUpgrade>()?;
        Some(Accepted { upgrade, key })
    }

    /// The answer that makes the peer switch to WebSocket.
    pub(super) fn answer(&self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        if let Ok(accept) = HeaderValue::from_str(&derive_accept_key(self.key.as_bytes())) {
            headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
        }
        response
    }

    /// The socket, once the answer is sent. Its messages are limited to what a hello needs.
    pub(super) async fn socket(self) -> Option<Socket> {
        let upgraded = self.upgrade.await.ok()?;
        Some(Socket {
            stream: open(TokioIo::new(upgraded), HELLO_BYTES).await,
        })
    }
}

impl Socket {
    /// The same socket for a peer that has proven who it is: messages may have their full size. Nothing is lost, since a
    /// peer says nothing between its hello and our answer.
    pub(super) async fn trusted(self) -> Socket {
        Socket {
            stream: open(self.stream.into_inner(), MAX_MESSAGE_BYTES).await,
        }
    }

    /// The next message.
    pub(super) async fn receive(&mut self) -> Result<AgentMessage, Ended> {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => {
                    return serde_json::from_str(&text).map_err(|error| Ended::Meaningless(error.to_string()));
                }
                // Pings are answered by the library.
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Close(_))) | None => return Err(Ended::Closed),
                Some(Ok(Message::Binary(_) | Message::Frame(_))) => {
                    return Err(Ended::Meaningless("it is not text".to_owned()));
                }
                Some(Err(Error::ConnectionClosed | Error::AlreadyClosed)) => return Err(Ended::Closed),
                Some(Err(error)) => return Err(Ended::Broken(Box::new(error))),
            }
        }
    }

    /// Sends a message.
    pub(super) async fn send(&mut self, message: &ServerMessage) -> Result<(), Ended> {
        let text = serde_json::to_string(message).map_err(|error| Ended::Meaningless(error.to_string()))?;
        match tokio::time::timeout(SEND_TIME, self.stream.send(Message::text(text))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Ended::Broken(Box::new(error))),
            Err(_) => Err(Ended::Stuck),
        }
    }

    /// Says goodbye, politely but not for long.
    pub(super) async fn close(mut self, reason: &'static str) {
        let frame = CloseFrame {
            code: CloseCode::Away,
            reason: reason.into(),
        };
        let _ = tokio::time::timeout(SEND_TIME, self.stream.close(Some(frame))).await;
    }
}

async fn open(io: TokioIo<Upgraded>, largest: usize) -> WebSocketStream<TokioIo<Upgraded>> {
    let config = WebSocketConfig::default()
        .read_buffer_size(BUFFER)
        .write_buffer_size(0)
        .max_message_size(Some(largest))
        .max_frame_size(Some(largest));
    WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await
}

fn says(headers: &HeaderMap, name: header::HeaderName, word: &str) -> bool {
    let values = headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .any(|value| value.trim().eq_ignore_ascii_case(word))
}
