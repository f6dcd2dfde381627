//! Outbound connections: name, TCP, TLS. No system library is asked for names, so that a static binary works everywhere.

mod resolve;
mod tls;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use url::{Host, Url};

/// One address that does not answer must not use up the time of the others.
const PER_ADDRESS: Duration = Duration::from_secs(6);
const WHOLE: Duration = Duration::from_secs(20);

/// A server as an agent reaches it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    /// `http` or `https`; the paths of the protocol are appended.
    pub url: Url,
    /// How its TLS certificate is judged; without meaning for `http`.
    pub trust: Trust,
}

/// How a TLS certificate is judged. The server's Ed25519 key is proven in any case.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// By the well-known authorities, which are compiled in.
    #[default]
    WellKnown,
    /// By these authorities alone: PEM text.
    Authority(String),
    /// It must be this one: SHA-256 of the certificate, hex.
    Certificate(String),
}

/// Why there is no connection. The text begins with what a person can check.
#[derive(Debug, Error)]
#[error("cannot reach {server}: {reason}")]
pub struct ConnectError {
    server: String,
    reason: String,
}

/// A connection, with or without TLS.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

impl Server {
    /// Reads an address; the error is a sentence.
    pub fn parse(url: &str, trust: Trust) -> Result<Self, String> {
        let url: Url = url
            .parse()
            .map_err(|problem| format!("'{url}' is not a URL: {problem}"))?;
        match url.scheme() {
            "http" | "https" if url.has_host() => Ok(Self { url, trust }),
            _ => Err(format!(
                "'{url}' is not a Muster address: it must begin with http:// or https://"
            )),
        }
    }

    /// The address of one of the protocol's paths, e.g. `agent/v1/link`.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("{self}/{path}")
    }

    /// Opens a connection, for at most 20 seconds.
    pub(crate) async fn connect(&self) -> Result<Box<dyn Stream>, ConnectError> {
        let connection = timeout(WHOLE, Box::pin(self.dial())).await;
        connection
            .unwrap_or_else(|_| Err("no connection within 20 seconds".to_owned()))
            .map_err(|reason| self.unreachable(reason))
    }

    pub(crate) fn unreachable(&self, reason: impl ToString) -> ConnectError {
        ConnectError {
            server: self.to_string(),
            reason: reason.to_string(),
        }
    }

    async fn dial(&self) -> Result<Box<dyn Stream>, String> {
        let host = self.url.host().ok_or("the address has no host")?;
        let port = self.url.port_or_known_default().ok_or("the address has no port")?;
        let addresses = match &host {
            Host::Ipv4(address) => vec![(*address).into()],
            Host::Ipv6(address) => vec![(*address).into()],
            Host::Domain(name) => resolve::addresses(name).await?,
        };
        let stream = first(addresses.into_iter().map(|address| SocketAddr::new(address, port))).await?;
        match self.url.scheme() {
            "https" => Ok(Box::new(tls::wrap(stream, &host, &self.trust).await?)),
            _ => Ok(Box::new(stream)),
        }
    }
}

/// The address as people write it, without a slash at the end.
impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.url.as_str().trim_end_matches('/'))
    }
}

async fn first(addresses: impl Iterator<Item = SocketAddr>) -> Result<TcpStream, String> {
    let mut problem = "the name has no address".to_owned();
    for address in addresses {
        match timeout(PER_ADDRESS, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                stream.set_nodelay(true).map_err(|error| error.to_string())?;
                return Ok(stream);
            }
            Ok(Err(error)) => problem = format!("{address}: {}", short(&error)),
            Err(_) => problem = format!("{address} does not answer"),
        }
    }
    Err(problem)
}

fn short(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        io::ErrorKind::HostUnreachable => "no route to the host".to_owned(),
        io::ErrorKind::NetworkUnreachable => "the network is unreachable".to_owned(),
        _ => error.to_string(),
    }
}
