//! One HTTP request: enrolment is the only thing that does not go over the link.

use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use tokio::time::timeout;

use crate::VERSION;
use crate::connect::{ConnectError, Server};

const WHOLE: Duration = Duration::from_secs(30);
const LARGEST_ANSWER: usize = 64 * 1024;

/// Posts JSON and reads the answer, for at most 30 seconds.
pub(crate) async fn post(server: &Server, path: &str, body: Vec<u8>) -> Result<(StatusCode, Bytes), ConnectError> {
    let stream = server.connect().await?;
    let exchange = async {
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|e| e.to_string())?;
        let request = request(server, path, body)?;
        let answer = async {
            let answer = sender.send_request(request).await.map_err(|e| e.to_string())?;
            let status = answer.status();
            let body = Limited::new(answer.into_body(), LARGEST_ANSWER)
                .collect()
                .await
                .map_err(|e| e.to_string())?;
            Ok((status, body.to_bytes()))
        };
        tokio::pin!(answer);
        tokio::select! {
            answer = &mut answer => answer,
            // The connection's own work; when it ends first, the answer says why there will be none.
            _ = connection => answer.await,
        }
    };
    let answer = timeout(WHOLE, Box::pin(exchange))
        .await
        .unwrap_or_else(|_| Err("no answer within 30 seconds".to_owned()));
    answer.map_err(|reason| server.unreachable(reason))
}

fn request(server: &Server, path: &str, body: Vec<u8>) -> Result<Request<Full<Bytes>>, String> {
    let url = server.at(path);
    let target: hyper::Uri = url.parse().map_err(|error| format!("{url}: {error}"))?;
    let host = target.authority().map(ToString::to_string).unwrap_or_default();
    Request::post(target.path())
        .header(header::HOST, host)
        .header(header::USER_AGENT, format!("muster-agent/{VERSION}"))
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT, "application/json")
        .header(header::CONNECTION, "close")
        .body(Full::new(Bytes::from(body)))
        .map_err(|error| error.to_string())
}
