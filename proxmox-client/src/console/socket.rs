//! The WebSocket to a terminal: a connection of its own to the endpoint that started the terminal.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request as Upgrade;
use tokio_tungstenite::tungstenite::http::{HeaderValue, Uri};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};

use crate::answer::{Answer, undecodable};
use crate::catalogue::Request;
use crate::exchange::{Exchange, refused_handshake};
use crate::{Endpoint, Error, Result};

/// The terminal of PVE waits 10 s for its client.
const CONNECT: Duration = Duration::from_secs(10);

/// The largest payload of a frame that PVE reads (pve-http-server, `PVE/APIServer/AnyEvent.pm`).
const LARGEST_FRAME: usize = 128 * 1024;

/// More than PVE puts into a frame.
const LARGEST_HEARD: usize = 1024 * 1024;

/// An open connection. What is sent goes in frames of its own, never in parts of one.
#[derive(Debug)]
pub(super) struct Socket(WebSocketStream<TlsStream<TcpStream>>);

/// The two directions of a connection.
pub(super) struct Ear(futures::stream::SplitStream<WebSocketStream<TlsStream<TcpStream>>>);
pub(super) struct Mouth(futures::stream::SplitSink<WebSocketStream<TlsStream<TcpStream>>, Message>);

impl Socket {
    /// Connects within 10 s. Nothing is ever sent twice: the terminal takes one client.
    pub(super) async fn connect(exchange: &Exchange, endpoint: &Endpoint, request: &Request) -> Result<Self> {
        tokio::time::timeout(CONNECT, upgrade(exchange, endpoint, request))
            .await
            .map_err(|_| Error::TimedOut {
                call: request.call.name,
                after: CONNECT,
            })?
    }

    pub(super) fn split(self) -> (Mouth, Ear) {
        let (mouth, ear) = self.0.split();
        (Mouth(mouth), Ear(ear))
    }
}

impl Ear {
    /// The next bytes; nothing when the connection has ended, in whichever way: PVE closes it without a farewell.
    pub(super) async fn hear(&mut self) -> Option<Vec<u8>> {
        loop {
            match self.0.next().await? {
                Ok(Message::Binary(bytes)) => return Some(bytes.to_vec()),
                Ok(Message::Text(text)) => return Some(text.as_bytes().to_vec()),
                Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => {}
                Ok(Message::Close(_)) | Err(_) => return None,
            }
        }
    }
}

impl Mouth {
    /// Sends a message, in as many frames as it needs. False when the connection has ended.
    pub(super) async fn say(&mut self, message: &[u8]) -> bool {
        for frame in message.chunks(LARGEST_FRAME) {
            if self.0.send(Message::binary(frame.to_vec())).await.is_err() {
                return false;
            }
        }
        true
    }
}

async fn upgrade(exchange: &Exchange, endpoint: &Endpoint, request: &Request) -> Result<Socket> {
    let upgrade = headers(exchange, endpoint, request).await?;
    let stream = TcpStream::connect(endpoint.socket_host())
        .await
        .and_then(|stream| stream.set_nodelay(true).map(|()| stream))
        .map_err(|e| Error::NotSent {
            call: request.call.name,
            reason: format!("{endpoint}: {e}"),
        })?;
    let stream = TlsConnector::from(exchange.tls())
        .connect(endpoint.server_name()?, stream)
        .await
        .map_err(|e| refused_handshake(endpoint, &e))?;
    let config = WebSocketConfig::default()
        .max_message_size(Some(LARGEST_HEARD))
        .max_frame_size(Some(LARGEST_HEARD));
    match tokio_tungstenite::client_async_with_config(upgrade, stream, Some(config)).await {
        Ok((socket, _)) => Ok(Socket(socket)),
        Err(WsError::Http(response)) => {
            let answer = Answer {
                status: response.status().as_u16(),
                reason: response.status().canonical_reason().unwrap_or_default().to_owned(),
                body: response.into_body().unwrap_or_default(),
            };
            answer.judge(endpoint, request)?;
            Err(undecodable(request.call, &request.path, &"it is not a WebSocket"))
        }
        // PVE ends the connection without an answer when the terminal has given up waiting.
        Err(error) => Err(Error::Unknown {
            call: request.call.name,
            endpoint: endpoint.clone(),
            reason: error.to_string(),
        }),
    }
}

async fn headers(exchange: &Exchange, endpoint: &Endpoint, request: &Request) -> Result<Upgrade> {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(&request.params)
        .finish();
    let invalid = |reason: String| Error::invalid("WebSocket address", reason);
    let uri: Uri = format!("wss://{}/api2/json{}?{query}", endpoint.authority(), request.path)
        .parse()
        .map_err(|e: http::uri::InvalidUri| invalid(e.to_string()))?;
    let mut upgrade = uri.into_client_request().map_err(|e| invalid(e.to_string()))?;
    let headers = upgrade.headers_mut();
    headers.extend(exchange.proof(endpoint, request).await?);
    headers.insert("Sec-WebSocket-Protocol", HeaderValue::from_static("binary"));
    Ok(upgrade)
}
