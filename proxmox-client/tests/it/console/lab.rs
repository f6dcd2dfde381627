//! A node with one container, as far as its console goes: the calls around it over TLS, the terminal program's
//! protocol over a WebSocket, and a real shell behind.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result, ensure};
use futures::{SinkExt, StreamExt};
use proxmox_client::{Client, ClientBuilder, Endpoint, Fingerprints, Trust};
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::shell::{Flavour, Terminal};
use crate::server::{Identity, Seen, read_request};
use crate::token;

const LXC: &str = "/api2/json/nodes/pve1/lxc/100";
const TASKS: &str = "/api2/json/nodes/pve1/tasks";
const TICKET: &str = "PVEVNC:6B0114EB::BVrqYUscbUL6dhM+4xVNe/GwNArP8vNudiprtP0Qd5vEysisANO==";
const UPID: &str = "UPID:pve1:00000B7E:00046A6A:6B0114EB:vncproxy:100:ops@pve!full:";

/// What is odd about the container, its node or its connections.
#[derive(Debug, Clone)]
pub(crate) struct Oddities {
    pub(crate) status: &'static str,
    pub(crate) cmode: &'static str,
    /// Who has the console open beside us.
    pub(crate) visitor: Option<&'static str>,
    /// How the packages' terminal program is called.
    pub(crate) options: &'static str,
    /// What is shown instead of a shell.
    pub(crate) instead: Option<&'static str>,
    /// The connection is cut when so many messages have come, the last of which is lost.
    pub(crate) cut_at: usize,
    /// The first byte of the longest message arrives as another.
    pub(crate) garbles: bool,
    /// The connection stays open when the shell has ended.
    pub(crate) lingers: bool,
    /// A line server without a line ends after 1 s instead of 25 s.
    pub(crate) impatient: bool,
}

impl Default for Oddities {
    fn default() -> Self {
        Self {
            status: r#""status":"running","pid":4711,"uptime":60"#,
            cmode: r#","cmode":"shell""#,
            visitor: None,
            options: " --vncticket-endpoint --verify-port --ticket-fd 6",
            instead: None,
            cut_at: usize::MAX,
            garbles: false,
            lingers: false,
            impatient: false,
        }
    }
}

pub(crate) struct Lab {
    endpoint: Endpoint,
    trust: Trust,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

struct Shared {
    terminal: Terminal,
    oddities: Mutex<Oddities>,
    open: AtomicUsize,
    greeted: AtomicUsize,
    messages: AtomicUsize,
    tls: TlsAcceptor,
    typed: Mutex<Vec<u8>>,
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Lab {
    pub(crate) async fn start(flavour: Flavour) -> Result<Self> {
        let identity = Identity::new()?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let endpoint = Endpoint::new("127.0.0.1", listener.local_addr()?.port())?;
        let shared = Arc::new(Shared {
            terminal: Terminal::new(flavour)?,
            oddities: Mutex::default(),
            open: AtomicUsize::new(0),
            greeted: AtomicUsize::new(0),
            messages: AtomicUsize::new(0),
            tls: TlsAcceptor::from(identity.config()?),
            typed: Mutex::default(),
        });
        Ok(Self {
            endpoint,
            trust: Trust::Pinned(Fingerprints::new([identity.fingerprint()])),
            accepting: tokio::spawn(accept(listener, shared.clone())),
            shared,
        })
    }

    pub(crate) fn builder(&self) -> ClientBuilder {
        Client::builder([self.endpoint.clone()]).trust(self.trust.clone())
    }

    pub(crate) fn trust(&self) -> Trust {
        self.trust.clone()
    }

    pub(crate) fn client(&self) -> Client {
        self.builder().token(token()).build().expect("a client")
    }

    pub(crate) fn terminal(&self) -> &Terminal {
        &self.shared.terminal
    }

    /// Changes what is odd from now on, and counts messages anew.
    pub(crate) fn set(&self, change: impl FnOnce(&mut Oddities)) {
        self.shared.messages.store(0, Ordering::SeqCst);
        change(&mut lock(&self.shared.oddities));
    }

    /// How many terminals were greeted so far.
    pub(crate) fn greeted(&self) -> usize {
        self.shared.greeted.load(Ordering::SeqCst)
    }

    /// Everything that was typed through the API.
    pub(crate) fn typed(&self) -> Vec<u8> {
        lock(&self.shared.typed).clone()
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        // A connection that breaks is part of what tests do, so its error is nothing to report.
        tokio::spawn(serve(stream, shared.clone()));
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>) -> Result<()> {
    let mut stream = BufReader::new(shared.tls.accept(stream).await?);
    while let Some(request) = read_request(&mut stream).await? {
        if request.target.starts_with(&format!("{LXC}/vncwebsocket?")) {
            return upgrade(request, stream.into_inner(), &shared).await;
        }
        let body = answer(&request, &shared);
        let status = if body.is_empty() { "501 Not here" } else { "200 OK" };
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len());
        stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).await?;
        stream.flush().await?;
    }
    Ok(())
}

fn answer(request: &Seen, shared: &Shared) -> String {
    let odd = lock(&shared.oddities).clone();
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    match (request.method.as_str(), path) {
        ("POST", "/api2/json/access/ticket") => {
            r#"{"data":{"ticket":"PVE:ops@pve:1","CSRFPreventionToken":"c","username":"ops@pve"}}"#.to_owned()
        }
        ("GET", path) if path == format!("{LXC}/status/current") => {
            format!(r#"{{"data":{{"vmid":100,"name":"web1",{}}}}}"#, odd.status)
        }
        ("GET", path) if path == format!("{LXC}/config") && query == "current=1" => {
            format!(r#"{{"data":{{"ostype":"debian"{}}}}}"#, odd.cmode)
        }
        ("GET", TASKS) if query == "source=active&vmid=100&typefilter=vncproxy" => {
            let ours = (shared.open.load(Ordering::SeqCst) > 0).then(|| UPID.to_owned());
            let visitor = odd.visitor.map(|name| UPID.replace("ops@pve!full", name));
            let tasks: Vec<String> = ours
                .into_iter()
                .chain(visitor)
                .map(|upid| format!(r#"{{"upid":"{upid}","status":"RUNNING"}}"#))
                .collect();
            format!(r#"{{"data":[{}]}}"#, tasks.join(","))
        }
        ("POST", path) if path == format!("{LXC}/termproxy") => {
            let user = user(request);
            format!(r#"{{"data":{{"port":"5900","ticket":"{TICKET}","upid":"{UPID}","user":"{user}"}}}}"#)
        }
        ("GET", path) if path.starts_with(TASKS) && path.ends_with("/status") => format!(
            r#"{{"data":{{"upid":"{UPID}","status":"stopped","exitstatus":"command '/usr/bin/termproxy 5900 --path /vms/100 --perm VM.Console{} -- /usr/bin/dtach -A x' failed: exit code 1"}}}}"#,
            odd.options
        ),
        _ => String::new(),
    }
}

fn user(request: &Seen) -> &'static str {
    if request.header("cookie").is_some() {
        "ops@pve"
    } else {
        "ops@pve!full"
    }
}

async fn upgrade(request: Seen, mut stream: TlsStream<TcpStream>, shared: &Shared) -> Result<()> {
    let query = request.target.split_once('?').context("no query")?.1;
    let given: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    ensure!(given.contains(&("port".to_owned(), "5900".to_owned())), "{given:?}");
    ensure!(
        given.contains(&("vncticket".to_owned(), TICKET.to_owned())),
        "{given:?}"
    );
    ensure!(request.header("authorization").is_some() != request.header("cookie").is_some());
    ensure!(request.header("sec-websocket-extensions").is_none());
    let key = derive_accept_key(request.header("sec-websocket-key").context("no key")?.as_bytes());
    let head = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\
         Sec-WebSocket-Accept: {key}\r\nSec-WebSocket-Protocol: binary\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    // What PVE reads of a frame at most.
    let config = WebSocketConfig::default().max_frame_size(Some(128 * 1024));
    let socket = WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await;
    shared.open.fetch_add(1, Ordering::SeqCst);
    let outcome = converse(socket, user(&request), shared).await;
    shared.open.fetch_sub(1, Ordering::SeqCst);
    outcome
}

/// What the terminal program does: a greeting, then messages one way and the terminal's output the other.
async fn converse(mut socket: WebSocketStream<TlsStream<TcpStream>>, user: &str, shared: &Shared) -> Result<()> {
    let odd = lock(&shared.oddities).clone();
    let hello = socket.next().await.context("no greeting")??.into_data();
    let accepts_user = !user.contains('!') || odd.options.contains("--vncticket-endpoint");
    if hello != format!("{user}:{TICKET}\n").as_bytes() || !accepts_user {
        return Ok(());
    }
    shared.greeted.fetch_add(1, Ordering::SeqCst);
    if let Some(words) = odd.instead {
        socket.send(Message::binary(format!("OK{words}").into_bytes())).await?;
        return Ok(());
    }
    socket.send(Message::binary(b"OK".to_vec())).await?;
    let mut view = shared.terminal.attach()?;
    let mut messages = Messages::default();
    let mut has_ended = false;
    loop {
        tokio::select! {
            shown = view.recv(), if !has_ended => match shown {
                Some(bytes) => socket.send(Message::binary(bytes)).await?,
                None if odd.lingers => has_ended = true,
                None => return Ok(()),
            },
            heard = socket.next() => {
                let Some(heard) = heard else { return Ok(()) };
                messages.push(&heard?.into_data());
                while let Some(message) = messages.next()? {
                    // A terminal whose program has ended notices it at the next key.
                    if has_ended || !press(message, shared) {
                        return Ok(());
                    }
                }
            }
        }
    }
}

/// Passes a message on; false when the connection is to be cut instead.
fn press(mut message: Vec<u8>, shared: &Shared) -> bool {
    let odd = lock(&shared.oddities).clone();
    if shared.messages.fetch_add(1, Ordering::SeqCst) + 1 >= odd.cut_at {
        return false;
    }
    lock(&shared.typed).extend_from_slice(&message);
    if odd.garbles && message.len() > 1000 {
        message[0] = if message[0] == b'A' { b'B' } else { b'A' };
    }
    if odd.impatient
        && let Ok(text) = std::str::from_utf8(&message)
    {
        message = text
            .replace("time 255", "time 10")
            .replace("-t 25", "-t 1")
            .into_bytes();
    }
    shared.terminal.press(&message);
    true
}

/// Messages of the form `0:<length>:<bytes>`, `1:<columns>:<rows>:` and `2`, cut anywhere.
#[derive(Default)]
struct Messages(Vec<u8>);

impl Messages {
    fn push(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// The next whole message with input.
    fn next(&mut self) -> Result<Option<Vec<u8>>> {
        let Some(first) = self.0.first() else { return Ok(None) };
        ensure!(
            *first == b'0',
            "the client sends input only: {:?}",
            String::from_utf8_lossy(&self.0)
        );
        let colons: Vec<usize> = (0..self.0.len().min(20))
            .filter(|at| self.0[*at] == b':')
            .take(2)
            .collect();
        let [_, end] = colons.as_slice() else { return Ok(None) };
        let length: usize = std::str::from_utf8(&self.0[2..*end])?.parse()?;
        if self.0.len() < end + 1 + length {
            return Ok(None);
        }
        let message = self.0[end + 1..end + 1 + length].to_vec();
        self.0.drain(..end + 1 + length);
        Ok(Some(message))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
