//! The client: one cluster, its endpoints and as whom it calls.

use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::time::Instant;

use crate::answer::{decode, undecodable};
use crate::catalogue::Request;
use crate::console::Consoles;
use crate::exchange::{Credential, Exchange};
use crate::gate::Gate;
use crate::routes::Routes;
use crate::{ApiToken, ClockReading, Endpoint, Error, Limits, Login, Result, Trust};

/// Longer than the 30 s after which PVE itself gives up on a node, so that its own words arrive.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(40);
const DEFAULT_MAX_ANSWER: usize = 16 * 1024 * 1024;

/// A client of one cluster (or standalone node). Cheap to clone; clones share connections and limits.
///
/// Every call is an `async` method that ends by itself, within the time of [`ClientBuilder::timeout`] for each endpoint
/// it tries, counted from when the [`Limits`] let it start. Dropping the future gives the call up.
#[derive(Debug, Clone)]
pub struct Client(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    exchange: Exchange,
    routes: Routes,
    gate: Gate,
    consoles: Consoles,
}

/// Collects what a [`Client`] needs.
#[derive(Debug, Clone)]
#[must_use]
pub struct ClientBuilder {
    endpoints: Vec<Endpoint>,
    credential: Option<Credential>,
    trust: Trust,
    limits: Limits,
    timeout: Duration,
    max_answer: usize,
}

impl ClientBuilder {
    /// The token to call with. Without a token or a login PVE answers `Unauthenticated` to everything.
    pub fn token(mut self, token: ApiToken) -> Self {
        self.credential = Some(Credential::Token(token));
        self
    }

    /// The user to call as, instead of a token. The ticket that PVE gives for the password is kept and replaced when
    /// it ends.
    pub fn login(mut self, login: Login) -> Self {
        self.credential = Some(Credential::Login(login));
        self
    }

    /// Which certificates are trusted; [`Trust::System`] unless said.
    pub fn trust(mut self, trust: Trust) -> Self {
        self.trust = trust;
        self
    }

    /// How many calls may be under way at once; 4, and 2 about one node, unless said.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// How long one exchange with one endpoint may take; 40 s unless said.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The largest answer that is read, in bytes after decompression; 16 MiB unless said.
    pub fn max_answer(mut self, bytes: usize) -> Self {
        self.max_answer = bytes;
        self
    }

    /// Makes the client. Connects to nothing yet.
    pub fn build(self) -> Result<Client> {
        if self.endpoints.is_empty() {
            return Err(Error::invalid(
                "list of endpoints",
                "it is empty; name at least one, https://host:8006",
            ));
        }
        Ok(Client(Arc::new(Shared {
            exchange: Exchange::new(&self.trust, self.credential, self.timeout, self.max_answer)?,
            routes: Routes::new(self.endpoints),
            gate: Gate::new(self.limits),
            consoles: Consoles::default(),
        })))
    }
}

impl Client {
    /// Begins a client of the cluster that these endpoints belong to. The first one is preferred.
    pub fn builder(endpoints: impl IntoIterator<Item = Endpoint>) -> ClientBuilder {
        ClientBuilder {
            endpoints: endpoints.into_iter().collect(),
            credential: None,
            trust: Trust::System,
            limits: Limits::default(),
            timeout: DEFAULT_TIMEOUT,
            max_answer: DEFAULT_MAX_ANSWER,
        }
    }

    /// Says at which address each node can be asked directly, replacing what was said before. Calls about a node go
    /// there first; when that fails, through the endpoints as always.
    pub fn set_node_addresses(&self, nodes: impl IntoIterator<Item = (String, Endpoint)>) {
        self.0.routes.set_nodes(nodes.into_iter().collect());
    }

    /// What the clocks of the endpoints showed when each last answered.
    pub fn clocks(&self) -> Vec<ClockReading> {
        self.0.exchange.clocks()
    }

    /// The endpoint that a call about a node goes to first.
    pub(crate) fn endpoint_for(&self, node: &str) -> Endpoint {
        let order = self.0.routes.order(Some(node), Instant::now());
        order.into_iter().next().expect("a client has at least one endpoint")
    }

    /// Makes a call whose result has to be there.
    pub(crate) async fn fetch<T: DeserializeOwned>(&self, request: Request) -> Result<T> {
        self.fetch_from(request).await.map(|(_, result)| result)
    }

    /// The same, with the endpoint that answered.
    pub(crate) async fn fetch_from<T: DeserializeOwned>(&self, request: Request) -> Result<(Endpoint, T)> {
        let (endpoint, body) = self.call(&request).await?;
        let nothing = || undecodable(request.call, &request.path, &"there is no data in it");
        Ok((endpoint, decode(&request, &body)?.ok_or_else(nothing)?))
    }

    /// Makes a call whose result may be `null`, which stands for nothing.
    pub(crate) async fn fetch_or_default<T: DeserializeOwned + Default>(&self, request: Request) -> Result<T> {
        let (_, body) = self.call(&request).await?;
        Ok(decode(&request, &body)?.unwrap_or_default())
    }

    /// Makes a call whose result says nothing.
    pub(crate) async fn order(&self, request: Request) -> Result<()> {
        self.call(&request).await.map(drop)
    }

    /// Makes a call whose result is a list that the caller sorts.
    pub(crate) async fn fetch_entries(&self, request: &Request) -> Result<Vec<serde_json::Value>> {
        let (_, body) = self.call(request).await?;
        Ok(decode(request, &body)?.unwrap_or_default())
    }

    /// The consoles that are open.
    pub(crate) fn consoles(&self) -> &Consoles {
        &self.0.consoles
    }

    /// How requests are sent.
    pub(crate) fn exchange(&self) -> &Exchange {
        &self.0.exchange
    }

    /// PVE's name for whom this client calls as.
    pub(crate) fn identity(&self) -> Option<&str> {
        Some(match self.0.exchange.credential()? {
            Credential::Token(token) => token.id(),
            Credential::Login(login) => login.user(),
        })
    }

    /// Asks one endpoint after the other until one has an answer that counts.
    async fn call(&self, request: &Request) -> Result<(Endpoint, Vec<u8>)> {
        let shared = &*self.0;
        let _permits = shared.gate.enter(request.node.as_deref()).await;
        let mut failures = Vec::new();
        for endpoint in shared.routes.order(request.node.as_deref(), Instant::now()) {
            let outcome = self.attempt(&endpoint, request).await;
            match &outcome {
                Err(error) if is_the_endpoints_fault(error, request) => shared.routes.failed(&endpoint, Instant::now()),
                _ => shared.routes.worked(&endpoint),
            }
            match outcome {
                Err(error) if may_try_another(&error, request) => {
                    tracing::debug!(%endpoint, %error, "trying the next endpoint");
                    failures.push(error);
                }
                counts => return counts.map(|body| (endpoint, body)),
            }
        }
        Err(most_telling(failures))
    }

    /// Asks one endpoint. Reading is repeated once when the connection ends without an answer: PVE closes kept
    /// connections after 5 s or 100 requests, and a request may meet that moment.
    async fn attempt(&self, endpoint: &Endpoint, request: &Request) -> Result<Vec<u8>> {
        let exchange = &self.0.exchange;
        let answer = match exchange.send(endpoint, request).await {
            Err(Error::Unknown { .. }) if !request.changes_something() => exchange.send(endpoint, request).await?,
            outcome => outcome?,
        };
        answer.judge(endpoint, request)
    }
}

/// Whether the endpoint is to be put last for a while. A slow or failing call about a node may be that node's fault.
fn is_the_endpoints_fault(error: &Error, request: &Request) -> bool {
    match error {
        Error::NotSent { .. } | Error::Tls { .. } | Error::TlsMismatch { .. } => true,
        Error::TimedOut { .. } | Error::Unknown { .. } | Error::NodeUnreachable { .. } => request.node.is_none(),
        _ => false,
    }
}

/// Whether another endpoint may be asked: nothing was sent to this one, or nothing is changed by asking again.
fn may_try_another(error: &Error, request: &Request) -> bool {
    match error {
        Error::NotSent { .. } | Error::Tls { .. } | Error::TlsMismatch { .. } => true,
        Error::Unknown { .. } => !request.changes_something(),
        Error::NodeUnreachable { .. } => !request.changes_something() && request.node.is_none(),
        _ => false,
    }
}

/// Of the failures of several endpoints the one that a person can do most about.
fn most_telling(failures: Vec<Error>) -> Error {
    let rank = |error: &Error| match error {
        Error::TlsMismatch { .. } => 0,
        Error::Tls { .. } => 1,
        Error::NodeUnreachable { .. } => 2,
        Error::Unknown { .. } => 3,
        _ => 4,
    };
    let first = failures.iter().min_by_key(|error| rank(error)).cloned();
    match first {
        Some(Error::NotSent { call, .. }) => Error::NotSent {
            call,
            reason: reasons(&failures),
        },
        Some(error) => error,
        None => Error::invalid("list of endpoints", "it is empty"),
    }
}

fn reasons(failures: &[Error]) -> String {
    let each = failures.iter().map(|error| match error {
        Error::NotSent { reason, .. } => reason.clone(),
        other => other.to_string(),
    });
    each.collect::<Vec<_>>().join("; ")
}
