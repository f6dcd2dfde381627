//! A client that shows an answer as it was on the wire.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use proxmox_sim::{ClusterHandle, ClusterSpec, GuestSpec, Options, Scenario, Sim, SteppedClock, Timing};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::Value;

/// How long a test waits for something that must happen.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// 2026-11-21, when the recordings were made.
pub(crate) const START: u64 = 1_795_232_000_000;

/// An answer.
#[derive(Debug)]
pub(crate) struct Raw {
    pub(crate) status_line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Raw {
    /// Takes an answer apart.
    pub(crate) fn parse(bytes: &[u8]) -> Raw {
        let end = bytes
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .expect("headers end with an empty line");
        let head = String::from_utf8_lossy(&bytes[..end]);
        let mut lines = head.split("\r\n").map(str::to_owned);
        let status_line = lines.next().expect("there is a status line");
        let split = |line: String| {
            line.split_once(": ")
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
        };
        Raw {
            status_line,
            headers: lines.filter_map(split).collect(),
            body: bytes[end + 4..].to_vec(),
        }
    }

    pub(crate) fn status(&self) -> u16 {
        self.status_line
            .split(' ')
            .nth(1)
            .and_then(|code| code.parse().ok())
            .expect("a status code")
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the body is JSON")
    }

    /// What the envelope holds.
    pub(crate) fn data(&self) -> Value {
        self.json()["data"].take()
    }
}

/// Somebody who asks a node.
#[derive(Clone)]
pub(crate) struct Asker {
    pub(crate) address: String,
    tls: Arc<ClientConfig>,
    authorization: Option<String>,
}

impl Asker {
    /// Asks a node of a cluster with the cluster's main token.
    pub(crate) fn of(cluster: &ClusterHandle, node: usize) -> Asker {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(cluster.ca_pem.as_bytes()).expect("the CA is PEM"))
            .expect("a CA");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let tls = tls
            .expect("ring speaks TLS")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let address = cluster.endpoints[node].trim_start_matches("https://").to_owned();
        let asker = Asker {
            address,
            tls: Arc::new(tls),
            authorization: None,
        };
        asker.with_token(&cluster.token_id, &cluster.token_secret)
    }

    pub(crate) fn with_token(&self, id: &str, secret: &str) -> Asker {
        self.with_authorization(&format!("Authorization: PVEAPIToken={id}={secret}"))
    }

    /// With any header in the place of the token.
    pub(crate) fn with_authorization(&self, header: &str) -> Asker {
        Asker {
            authorization: Some(header.to_owned()),
            ..self.clone()
        }
    }

    /// The same at another address.
    pub(crate) fn at(self, address: String) -> Asker {
        Asker { address, ..self }
    }

    pub(crate) fn anonymous(&self) -> Asker {
        Asker {
            authorization: None,
            ..self.clone()
        }
    }

    /// GET below `/api2/json`, which has to succeed.
    pub(crate) fn get(&self, path: &str) -> Value {
        let answer = self.ask("GET", path, "");
        assert_eq!(answer.status(), 200, "GET {path}: {}", answer.status_line);
        answer.data()
    }

    /// A request below `/api2/json`, with a form as body unless it is empty.
    pub(crate) fn ask(&self, method: &str, path: &str, form: &str) -> Raw {
        let kind = "Content-Type: application/x-www-form-urlencoded\r\n";
        match form {
            "" if method != "POST" && method != "PUT" => self.send(method, &format!("/api2/json{path}"), "", ""),
            _ => self.send(method, &format!("/api2/json{path}"), kind, form),
        }
    }

    /// Any request; `headers` end with a line break each.
    pub(crate) fn send(&self, method: &str, uri: &str, headers: &str, body: &str) -> Raw {
        let length = if body.is_empty() {
            String::new()
        } else {
            format!("Content-Length: {}\r\n", body.len())
        };
        let request = self.request(method, uri, &format!("Connection: close\r\n{headers}{length}"), body);
        let mut stream = self.connect();
        stream.write_all(request.as_bytes()).expect("the request is sent");
        let mut answer = Vec::new();
        // Nobody says goodbye in TLS here, as pveproxy does not.
        drop(stream.read_to_end(&mut answer));
        Raw::parse(&answer)
    }

    /// The text of a request.
    pub(crate) fn request(&self, method: &str, uri: &str, headers: &str, body: &str) -> String {
        let authorization = self
            .authorization
            .as_ref()
            .map(|line| format!("{line}\r\n"))
            .unwrap_or_default();
        format!(
            "{method} {uri} HTTP/1.1\r\nHost: {}\r\n{authorization}{headers}\r\n{body}",
            self.address
        )
    }

    pub(crate) fn connect(&self) -> StreamOwned<ClientConnection, TcpStream> {
        self.try_connect().expect("the node listens")
    }

    pub(crate) fn try_connect(&self) -> std::io::Result<StreamOwned<ClientConnection, TcpStream>> {
        let stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(DEADLINE))?;
        let host = self.address.split(':').next().unwrap_or_default();
        let name = ServerName::try_from(host.to_owned()).expect("an address");
        let tls = ClientConnection::new(Arc::clone(&self.tls), name).expect("a name");
        Ok(StreamOwned::new(tls, stream))
    }
}

/// A simulator whose deliberate delays are short and whose clock only goes on when told.
pub(crate) struct Bench {
    pub(crate) sim: Sim,
    pub(crate) clock: SteppedClock,
}

impl Bench {
    pub(crate) fn start(scenario: Scenario) -> Bench {
        Bench::with(Options {
            scenario,
            ..Options::default()
        })
    }

    pub(crate) fn with(options: Options) -> Bench {
        let clock = SteppedClock::at(START);
        let short = Duration::from_millis(1);
        let timing = Timing {
            failed_login: short,
            unreachable: short,
            silent_agent: short,
            ..options.timing
        };
        let clock_of_sim = proxmox_sim::Clock::Stepped(clock.clone());
        let sim = Sim::start(Options {
            clock: clock_of_sim,
            timing,
            ..options
        })
        .expect("the simulator starts");
        Bench { sim, clock }
    }

    pub(crate) fn ask(&self, cluster: usize, node: usize) -> Asker {
        Asker::of(&self.sim.clusters()[cluster], node)
    }

    /// Lets time pass.
    pub(crate) fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// A token of its own user with these privileges on a path.
    pub(crate) fn token(&self, id: &str, path: &str, privileges: &str) -> (String, String) {
        let cluster = &self.sim.clusters()[0].name;
        let privileges = if privileges.is_empty() {
            String::new()
        } else {
            format!("--privileges {privileges}")
        };
        let words = format!("token create --cluster {cluster} --id {id} --path {path} {privileges}");
        let made = self.sim.ctl(&words).expect("the token is made");
        let text = |key: &str| made[key].as_str().expect("text").to_owned();
        (text("token_id"), text("token_secret"))
    }
}

/// One standalone node with the given guests.
pub(crate) fn one_node(guests: Vec<GuestSpec>) -> Scenario {
    Scenario::one_node(guests)
}

/// A cluster of two nodes.
pub(crate) fn two_nodes(guests: Vec<GuestSpec>) -> Scenario {
    Scenario::Custom(vec![
        ClusterSpec::new("lab", "Lab").nodes(["pve1", "pve2"]).guests(guests),
    ])
}

/// Waits until something is so.
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !is_so() {
        assert!(Instant::now() < end, "not in time: {what}");
        std::thread::yield_now();
    }
}
