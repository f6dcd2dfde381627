//! Answers in Proxmox VE's form: envelope, reason phrase, headers, and the ways in which an answer can break.

use std::io::{self, Write};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::body::{Body, Frame, SizeHint};
use hyper::ext::ReasonPhrase;
use hyper::header::{self, HeaderValue};
use hyper::{Response, StatusCode};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tokio::time::{Sleep, sleep};

use crate::api::{ApiError, Reply};
use crate::world::Millis;

/// Bodies above this many bytes are compressed if the client takes that (PVE/APIServer/AnyEvent.pm).
const COMPRESS_ABOVE: usize = 1024;

/// How long a breaking body lets its beginning travel.
const BEFORE_BREAK: Duration = Duration::from_millis(50);

/// What a body without an end goes on with.
const MORE: &[u8] = &[b' '; 16 << 10];

/// Whether the answer is for machines or for ExtJS, which gets every error as a 200.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    ExtJs,
}

/// An answer before it is put on the wire.
pub(crate) struct Answer {
    status: u16,
    reason: Option<String>,
    content_type: Option<&'static str>,
    body: Bytes,
}

const JSON: &str = "application/json;charset=UTF-8";

impl Answer {
    /// An answer with only a status line, as for logins and unreachable nodes.
    pub(crate) fn bare(status: u16, reason: &str) -> Answer {
        Answer {
            status,
            reason: Some(reason.to_owned()),
            content_type: None,
            body: Bytes::new(),
        }
    }

    /// An error of the HTTP layer: its text is the body, the first line of it the reason.
    pub(super) fn plain(status: u16, text: &str) -> Answer {
        let body = Bytes::copy_from_slice(text.as_bytes());
        Answer {
            status,
            reason: text.lines().next().map(str::to_owned),
            content_type: None,
            body,
        }
    }

    /// A body that says success and is not what Proxmox VE would send.
    pub(crate) fn raw(body: impl Into<Bytes>) -> Answer {
        Answer {
            status: 200,
            reason: None,
            content_type: Some(JSON),
            body: body.into(),
        }
    }

    /// A call that failed in Proxmox VE, with its words.
    pub(crate) fn failed(message: &str) -> Answer {
        Answer::error(ApiError::failed(message))
    }

    /// What a call answered.
    pub(super) fn of(reply: Reply, format: Format) -> Answer {
        match reply {
            Reply::Data { data, total } => Answer::data(data, total, format),
            Reply::Errand { data, .. } => Answer::data(data, None, format),
            Reply::Error(error) if format == Format::ExtJs => Answer::extjs_error(error),
            Reply::Error(error) => Answer::error(error),
            Reply::Unreachable => Answer::bare(595, "No route to host"),
            Reply::NotModelled => Answer::error(ApiError::failed(
                "proxmox-sim: Proxmox VE has this call, the simulator does not model it (see DIFFERENCES.md)",
            )),
        }
    }

    fn data(data: Value, total: Option<usize>, format: Format) -> Answer {
        let mut envelope = Map::from_iter([("data".to_owned(), data)]);
        if let Some(total) = total {
            envelope.insert("total".to_owned(), json!(total));
        }
        if format == Format::ExtJs {
            envelope.insert("success".to_owned(), json!(1));
        }
        Answer::json(200, None, envelope)
    }

    fn error(error: ApiError) -> Answer {
        let reason = error.message.lines().next().map(str::to_owned);
        let status = error.status;
        Answer::json(status, reason, error_envelope(error))
    }

    fn extjs_error(error: ApiError) -> Answer {
        let status = error.status;
        let mut envelope = error_envelope(error);
        envelope.insert("status".to_owned(), json!(status));
        envelope.insert("success".to_owned(), json!(0));
        Answer::json(200, None, envelope)
    }

    fn json(status: u16, reason: Option<String>, envelope: Map<String, Value>) -> Answer {
        let body = Bytes::from(Value::Object(envelope).to_string());
        Answer {
            status,
            reason,
            content_type: Some(JSON),
            body,
        }
    }

    /// The answer as it goes over the wire. Every error closes the connection.
    pub(super) fn respond(self, now: Millis, takes_gzip: bool, breaks: Option<Break>) -> Response<Payload> {
        let compressed = (takes_gzip && self.body.len() > COMPRESS_ABOVE)
            .then(|| gzip(&self.body))
            .flatten();
        let is_compressed = compressed.is_some();
        let body = compressed.unwrap_or(self.body);
        let mut response = Response::new(match breaks {
            None => Payload::whole(body),
            Some(how) => Payload::breaking(body, how),
        });
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if let Some(reason) = self
            .reason
            .and_then(|reason| ReasonPhrase::try_from(reason.into_bytes()).ok())
        {
            response.extensions_mut().insert(reason);
        }
        let headers = response.headers_mut();
        let date = http_date(now);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("max-age=0"));
        if self.status >= 400 {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        headers.insert(header::DATE, date.clone());
        headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
        headers.insert(header::SERVER, HeaderValue::from_static("pve-api-daemon/3.0"));
        if is_compressed {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        if let Some(kind) = self.content_type {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        headers.insert(header::EXPIRES, date);
        response
    }
}

fn error_envelope(error: ApiError) -> Map<String, Value> {
    let mut envelope = Map::from_iter([
        ("data".to_owned(), Value::Null),
        ("message".to_owned(), json!(error.message)),
    ]);
    if let Some(errors) = error.errors {
        envelope.insert("errors".to_owned(), json!(errors));
    }
    envelope
}

fn http_date(now: Millis) -> HeaderValue {
    let moment = Timestamp::from_millisecond(now.try_into().unwrap_or_default()).unwrap_or_default();
    let text = moment.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}

fn gzip(body: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

/// How an answer ends before it is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Break {
    /// After the headers.
    AfterHeaders,
    /// After half of the body.
    HalfWay,
    /// It does not end: more and more follows what there is.
    Never,
}

/// The body of an answer: whole, or breaking off.
pub(crate) struct Payload {
    left: Option<Bytes>,
    /// None for a body without an end.
    announced: Option<u64>,
    breaks: Option<Pin<Box<Sleep>>>,
}

impl Payload {
    /// No body.
    pub(super) fn empty() -> Payload {
        Payload::whole(Bytes::new())
    }

    fn whole(body: Bytes) -> Payload {
        Payload {
            announced: Some(body.len() as u64),
            left: (!body.is_empty()).then_some(body),
            breaks: None,
        }
    }

    fn breaking(body: Bytes, how: Break) -> Payload {
        // A body of nothing could not break off.
        let announced = body.len().max(2) as u64;
        let (left, announced) = match how {
            Break::AfterHeaders => (None, Some(announced)),
            Break::HalfWay => (Some(body.slice(..body.len() / 2)), Some(announced)),
            Break::Never => (Some(body), None),
        };
        Payload {
            left,
            announced,
            breaks: announced.is_some().then(|| Box::pin(sleep(BEFORE_BREAK))),
        }
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Some(data) = self.left.take() {
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        if self.announced.is_none() {
            return Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(MORE)))));
        }
        match &mut self.breaks {
            None => Poll::Ready(None),
            Some(soon) => soon
                .as_mut()
                .poll(cx)
                .map(|()| Some(Err(io::ErrorKind::ConnectionReset.into()))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_none() && self.breaks.is_none() && self.announced.is_some()
    }

    fn size_hint(&self) -> SizeHint {
        self.announced.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
