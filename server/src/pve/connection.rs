//! A client of one cluster, made of what is stored about it.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use proxmox_client::{ApiToken, Client, Endpoint, Fingerprint, Fingerprints, Login, Trust};

use super::Failure;

/// Largest answer that is read: about 8,000 guests in one list.
const MAX_ANSWER: usize = 4 << 20;
/// The port of PVE's API on its nodes.
const API_PORT: u16 = 8006;

/// How certificates are judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tls {
    /// As a browser does.
    System,
    /// Only these.
    Pinned(Vec<Fingerprint>),
    /// Those that this authority has signed; PEM.
    ClusterCa(String),
}

/// As whom a cluster is asked.
#[derive(Debug, Clone)]
pub enum Credential {
    /// An API token.
    Token(ApiToken),
    /// A user with a password: opens consoles where tokens may not.
    Login(Login),
}

/// What it takes to talk to a cluster.
pub struct Settings {
    /// Where, in the order that is tried.
    pub endpoints: Vec<Endpoint>,
    /// As whom.
    pub credential: Credential,
    /// How certificates are judged.
    pub tls: Tls,
    /// How long one exchange may take.
    pub timeout: Duration,
}

/// An open way to a cluster. Connects when it is first used.
pub struct Connection {
    client: Client,
    pins: Option<Fingerprints>,
    endpoints: Vec<Endpoint>,
}

impl Connection {
    /// Makes the client. Fails when the authority's PEM is none.
    pub fn open(settings: Settings) -> Result<Connection, Failure> {
        let mut pins = None;
        let trust = match settings.tls {
            Tls::System => Trust::System,
            Tls::Pinned(fingerprints) => {
                let set = Fingerprints::new(fingerprints);
                pins = Some(set.clone());
                Trust::Pinned(set)
            }
            Tls::ClusterCa(pem) => Trust::ClusterCa(pem),
        };
        let builder = Client::builder(settings.endpoints.clone());
        let builder = match settings.credential {
            Credential::Token(token) => builder.token(token),
            Credential::Login(login) => builder.login(login),
        };
        let client = builder
            .trust(trust)
            .timeout(settings.timeout)
            .max_answer(MAX_ANSWER)
            .build()?;
        Ok(Connection {
            client,
            pins,
            endpoints: settings.endpoints,
        })
    }

    /// The client.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Trusts these certificates and no others from the next handshake on.
    pub fn pin(&self, fingerprints: &[Fingerprint]) {
        let Some(pins) = &self.pins else { return };
        for fingerprint in fingerprints {
            pins.insert(*fingerprint);
        }
        for stale in pins.to_vec().iter().filter(|pin| !fingerprints.contains(pin)) {
            pins.remove(stale);
        }
    }

    /// Where the API of a node listens whose address the cluster tells.
    pub fn endpoint_of(&self, address: &str) -> Option<Endpoint> {
        node_endpoint(&self.endpoints, address)
    }

    /// Says where each node can be asked without a detour.
    pub fn go_directly(&self, nodes: BTreeMap<String, Endpoint>) {
        self.client.set_node_addresses(nodes);
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("endpoints", &self.endpoints)
            .field("pins", &self.pins)
            .finish_non_exhaustive()
    }
}

/// Where the API of a node listens whose address the cluster tells: on the usual port, unless the cluster's endpoints are
/// addresses with another one. (Nodes of one cluster share a port; an endpoint with a name may be a proxy.)
pub fn node_endpoint(endpoints: &[Endpoint], address: &str) -> Option<Endpoint> {
    let usual = Endpoint::new(address, API_PORT).ok()?;
    let same = endpoints.iter().find(|endpoint| endpoint.host() == usual.host());
    let by_address = endpoints.iter().find(|endpoint| is_address(&endpoint.host()));
    let port = same.or(by_address).map_or(API_PORT, Endpoint::port);
    Endpoint::new(address, port).ok()
}

fn is_address(host: &str) -> bool {
    host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection(endpoints: &[&str], tls: Tls) -> Connection {
        Connection::open(Settings {
            endpoints: endpoints
                .iter()
                .map(|text| text.parse().expect("an endpoint"))
                .collect(),
            credential: Credential::Token(
                ApiToken::new("muster@pve!main", "11111111-2222-3333-4444-555555555555").expect("a token"),
            ),
            tls,
            timeout: Duration::from_secs(1),
        })
        .expect("opens")
    }

    fn text(endpoint: Option<Endpoint>) -> String {
        endpoint.expect("an endpoint").to_string()
    }

    #[test]
    fn nodes_listen_on_the_usual_port_unless_their_endpoint_says_otherwise() {
        let by_name = connection(&["https://pve.example.org:443"], Tls::System);
        assert_eq!(text(by_name.endpoint_of("192.0.2.11")), "https://192.0.2.11:8006");
        let by_address = connection(&["https://192.0.2.11:18006"], Tls::System);
        assert_eq!(text(by_address.endpoint_of("192.0.2.11")), "https://192.0.2.11:18006");
        assert_eq!(text(by_address.endpoint_of("192.0.2.12")), "https://192.0.2.12:18006");
        assert_eq!(text(by_name.endpoint_of("2001:db8::1")), "https://[2001:db8::1]:8006");
        assert!(by_name.endpoint_of("not an address").is_none());
    }

    #[test]
    fn the_pins_are_those_of_the_last_call() {
        let (old, new) = (Fingerprint::of(b"old"), Fingerprint::of(b"new"));
        let pinned = connection(&["https://192.0.2.11"], Tls::Pinned(vec![old]));
        pinned.pin(&[new]);
        let pins = pinned.pins.as_ref().expect("pinned");
        assert!(pins.contains(&new) && !pins.contains(&old));
    }

    #[test]
    fn debug_shows_no_secret() {
        let shown = format!("{:?}", connection(&["https://192.0.2.11"], Tls::System));
        assert!(!shown.contains("11111111"), "{shown}");
    }
}
