//! A server that answers with what a test hands it, byte for byte, over TLS.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, anyhow};
use proxmox_client::{Endpoint, Fingerprint};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// What the server does with a request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// These bytes; the connection stays open unless they say `Connection: close`.
    Raw(Vec<u8>),
    /// These bytes, and then the end of the connection in the middle of the answer.
    CutOff(Vec<u8>),
    /// The connection is reset without an answer.
    Reset,
    /// No answer, while the connection stays open.
    Silence,
}

/// A request that arrived.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    /// Which connection it came on, from 1.
    pub(crate) connection: usize,
    /// Which request of its connection it is, from 1.
    pub(crate) on_connection: usize,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// A certificate with its key, signed by an authority of its own.
pub(crate) struct Identity {
    pub(crate) ca_pem: String,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Identity {
    /// Valid for 127.0.0.1 and `localhost`.
    pub(crate) fn new() -> Result<Self> {
        Self::of(&["127.0.0.1", "localhost"])
    }

    /// Valid for these names and addresses.
    pub(crate) fn of(names: &[&str]) -> Result<Self> {
        let mut authority = CertificateParams::new(Vec::new())?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
        let key = KeyPair::generate()?;
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let certificate = CertificateParams::new(names)?.signed_by(&key, &authority)?;
        let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(|e| anyhow!("{e}"))?;
        Ok(Self {
            ca_pem: authority.pem(),
            chain: vec![certificate.der().clone()],
            key,
        })
    }

    /// The certificate of another, with a key of our own.
    pub(crate) fn copied_from(original: &Self) -> Result<Self> {
        Ok(Self {
            chain: original.chain.clone(),
            ..Self::new()?
        })
    }

    pub(crate) fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.chain[0])
    }

    pub(crate) fn config(&self) -> Result<Arc<ServerConfig>> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = provider.key_provider.load_private_key(self.key.clone_key())?;
        let presented = AsIs(Arc::new(CertifiedKey::new(self.chain.clone(), key)));
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(presented));
        Ok(Arc::new(config))
    }
}

/// Presents a certificate without asking whether the key belongs to it.
#[derive(Debug)]
struct AsIs(Arc<CertifiedKey>);

impl ResolvesServerCert for AsIs {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}

type Script = dyn Fn(&Seen) -> Reply + Send + Sync;

/// A running server. Dropping it closes its port.
pub(crate) struct Server {
    endpoint: Endpoint,
    fingerprint: Mutex<Fingerprint>,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

struct Shared {
    script: Box<Script>,
    tls: Mutex<Arc<ServerConfig>>,
    seen: Mutex<Vec<Seen>>,
    connections: AtomicUsize,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Server {
    pub(crate) async fn start(script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Result<Self> {
        Self::start_as(&Identity::new()?, script).await
    }

    pub(crate) async fn start_as(
        identity: &Identity,
        script: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
    ) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let endpoint = Endpoint::new("127.0.0.1", listener.local_addr()?.port())?;
        let shared = Arc::new(Shared {
            script: Box::new(script),
            tls: Mutex::new(identity.config()?),
            seen: Mutex::default(),
            connections: AtomicUsize::new(0),
        });
        let accepting = tokio::spawn(accept(listener, shared.clone()));
        Ok(Self {
            endpoint,
            fingerprint: Mutex::new(identity.fingerprint()),
            shared,
            accepting,
        })
    }

    /// A server that answers every request with a recording.
    pub(crate) async fn replaying(name: &str) -> Result<Self> {
        let bytes = recording(name)?;
        Self::start(move |_| Reply::Raw(bytes.clone())).await
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        self.endpoint.clone()
    }

    pub(crate) fn fingerprint(&self) -> Fingerprint {
        *self.fingerprint.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Presents another certificate from the next connection on.
    pub(crate) fn become_another(&self, identity: &Identity) -> Result<()> {
        *self.shared.tls.lock().unwrap_or_else(PoisonError::into_inner) = identity.config()?;
        *self.fingerprint.lock().unwrap_or_else(PoisonError::into_inner) = identity.fingerprint();
        Ok(())
    }

    /// The requests so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The number of TCP connections so far.
    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }
}

/// An endpoint where nobody listens.
pub(crate) async fn dead_endpoint() -> Result<Endpoint> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    Ok(Endpoint::new("127.0.0.1", listener.local_addr()?.port())?)
}

/// The bytes of a recorded answer.
pub(crate) fn recording(name: &str) -> Result<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/recordings")
        .join(format!("{name}.http"));
    std::fs::read(&path).with_context(|| format!("no recording {}", path.display()))
}

/// An answer as PVE frames it, on a connection that stays open.
pub(crate) fn json(body: impl AsRef<[u8]>) -> Reply {
    let body = body.as_ref();
    let head = format!(
        "HTTP/1.1 200 OK\r\nConnection: Keep-Alive\r\nServer: pve-api-daemon/3.0\r\nContent-Length: {}\r\n\
         Content-Type: application/json;charset=UTF-8\r\n\r\n",
        body.len()
    );
    Reply::Raw([head.as_bytes(), body].concat())
}

/// An answer with a status line of its own and no body, as PVE sends for errors of its proxy.
pub(crate) fn bare(status: &str) -> Reply {
    Reply::Raw(format!("HTTP/1.1 {status}\r\nConnection: close\r\nServer: pve-api-daemon/3.0\r\n\r\n").into_bytes())
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let number = shared.connections.fetch_add(1, Ordering::SeqCst) + 1;
        // A connection that breaks is part of what tests do, so its error is nothing to report.
        tokio::spawn(converse(stream, shared.clone(), number));
    }
}

async fn converse(stream: TcpStream, shared: Arc<Shared>, number: usize) -> Result<()> {
    let config = shared.tls.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let mut stream = BufReader::new(TlsAcceptor::from(config).accept(stream).await?);
    for on_connection in 1.. {
        let Some(mut request) = read_request(&mut stream).await? else {
            break;
        };
        (request.connection, request.on_connection) = (number, on_connection);
        shared
            .seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(request.clone());
        match (shared.script)(&request) {
            Reply::Raw(bytes) => {
                stream.write_all(&bytes).await?;
                stream.flush().await?;
                if says_close(&bytes) {
                    stream.shutdown().await?;
                    break;
                }
            }
            Reply::CutOff(bytes) => {
                stream.write_all(&bytes).await?;
                stream.flush().await?;
                break;
            }
            Reply::Reset => {
                stream.get_ref().get_ref().0.set_zero_linger()?;
                break;
            }
            Reply::Silence => std::future::pending().await,
        }
    }
    Ok(())
}

fn says_close(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    let head = text.split("\r\n\r\n").next().unwrap_or_default();
    head.lines().any(|line| line.eq_ignore_ascii_case("connection: close"))
}

pub(crate) async fn read_request(stream: &mut (impl AsyncBufReadExt + Unpin)) -> Result<Option<Seen>> {
    let mut line = String::new();
    if stream.read_line(&mut line).await? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, target) = (words.next().context("no method")?, words.next().context("no target")?);
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        match line.trim_end().split_once(": ") {
            Some((name, value)) => headers.push((name.to_owned(), value.to_owned())),
            None => break,
        }
    }
    let mut seen = Seen {
        method,
        target,
        headers,
        body: String::new(),
        connection: 0,
        on_connection: 0,
    };
    let length: usize = seen.header("content-length").unwrap_or("0").parse()?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    seen.body = String::from_utf8(body)?;
    Ok(Some(seen))
}
