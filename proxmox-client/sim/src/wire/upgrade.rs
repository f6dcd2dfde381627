//! Changing a connection from HTTP to a WebSocket.

use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::upgrade::OnUpgrade;
use hyper::{Method, Request, Response, StatusCode};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::answer::Payload;

/// A client's wish for a WebSocket.
pub(super) struct Upgrade {
    /// The connection, once the answer was sent.
    pub(super) connection: OnUpgrade,
    accept: String,
    protocol: Option<HeaderValue>,
}

impl Upgrade {
    /// Whether a request wishes one.
    pub(super) fn of(request: &mut Request<Incoming>) -> Option<Upgrade> {
        let headers = request.headers();
        let wishes = request.method() == Method::GET
            && is(headers, header::UPGRADE, "websocket")
            && is(headers, header::SEC_WEBSOCKET_VERSION, "13");
        let key = headers.get(header::SEC_WEBSOCKET_KEY).filter(|_| wishes)?;
        Some(Upgrade {
            accept: derive_accept_key(key.as_bytes()),
            protocol: headers.get(header::SEC_WEBSOCKET_PROTOCOL).cloned(),
            connection: hyper::upgrade::on(request),
        })
    }

    /// The answer that grants it. Whatever protocol is wished is granted, also none.
    pub(super) fn grant(self) -> (Response<Payload>, OnUpgrade) {
        let mut response = Response::new(Payload::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        if let Ok(accept) = HeaderValue::try_from(self.accept) {
            headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
        }
        if let Some(protocol) = self.protocol {
            headers.insert(header::SEC_WEBSOCKET_PROTOCOL, protocol);
        }
        (response, self.connection)
    }
}

fn is(headers: &HeaderMap, name: header::HeaderName, value: &str) -> bool {
    headers
        .get(name)
        .is_some_and(|of| of.as_bytes().eq_ignore_ascii_case(value.as_bytes()))
}
