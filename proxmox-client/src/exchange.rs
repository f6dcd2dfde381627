//! One request to one endpoint, and what its end means.

use std::error::Error as StdError;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper::ext::ReasonPhrase;
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, COOKIE, HeaderMap};
use rustls::ClientConfig;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::answer::{Answer, decode};
use crate::catalogue::{Method, Request};
use crate::clocks::{ClockReading, Clocks};
use crate::login::{Granted, Ticket};
use crate::trust::NotPinned;
use crate::{ApiToken, Endpoint, Error, Login, Result, Trust, trust};

/// PVE closes an idle connection after 5 s; a connection is given up before that, so that few requests meet a closing
/// one.
const IDLE: Duration = Duration::from_secs(4);

/// How long reaching an endpoint may take, TLS included, before the next one is tried.
const CONNECT: Duration = Duration::from_secs(5);

/// As whom a client calls.
#[derive(Debug, Clone)]
pub(crate) enum Credential {
    Token(ApiToken),
    Login(Login),
}

/// The name of the header that PVE wants beside the cookie of a ticket.
const CSRF: &str = "CSRFPreventionToken";

/// Sends requests: connections, authentication, time and size.
#[derive(Debug)]
pub(crate) struct Exchange {
    /// Keeps connections for the next request.
    reading: reqwest::Client,
    /// Opens a connection for each request, so that a command never meets a kept one that is just being closed, which
    /// would leave its fate unknown.
    changing: reqwest::Client,
    credential: Option<Credential>,
    /// That of a login, for as long as PVE takes it.
    ticket: Mutex<Option<Ticket>>,
    tls: Arc<ClientConfig>,
    timeout: Duration,
    max_answer: usize,
    clocks: Clocks,
}

impl Exchange {
    pub(crate) fn new(
        trust: &Trust,
        credential: Option<Credential>,
        timeout: Duration,
        max_answer: usize,
    ) -> Result<Self> {
        let tls = trust::client_config(trust)?;
        let build =
            |builder: reqwest::ClientBuilder| builder.build().map_err(|e| Error::invalid("HTTP setup", chain(&e)));
        Ok(Self {
            reading: build(http(tls.clone(), timeout).pool_idle_timeout(IDLE))?,
            changing: build(http(tls.clone(), timeout).pool_max_idle_per_host(0))?,
            credential,
            ticket: Mutex::new(None),
            tls: Arc::new(tls),
            timeout,
            max_answer,
            clocks: Clocks::default(),
        })
    }

    /// As whom this calls.
    pub(crate) fn credential(&self) -> Option<&Credential> {
        self.credential.as_ref()
    }

    /// The TLS settings of every connection.
    pub(crate) fn tls(&self) -> Arc<ClientConfig> {
        self.tls.clone()
    }

    /// The largest answer that is read, in bytes.
    pub(crate) fn max_answer(&self) -> usize {
        self.max_answer
    }

    /// What the endpoints' clocks showed.
    pub(crate) fn clocks(&self) -> Vec<ClockReading> {
        self.clocks.all()
    }

    /// Sends a request and reads the whole answer, whatever its status. A ticket that PVE no longer takes is replaced
    /// once: a request that is refused for it has not been looked at.
    pub(crate) async fn send(&self, endpoint: &Endpoint, request: &Request) -> Result<Answer> {
        let proof = self.proof(endpoint, request).await?;
        let answer = self.within_time(endpoint, request, proof).await?;
        if answer.status != 401 || self.ticket.lock().await.take().is_none() {
            return Ok(answer);
        }
        let proof = self.proof(endpoint, request).await?;
        self.within_time(endpoint, request, proof).await
    }

    /// The headers that say who calls.
    pub(crate) async fn proof(&self, endpoint: &Endpoint, request: &Request) -> Result<HeaderMap> {
        let mut headers = HeaderMap::new();
        match &self.credential {
            None => {}
            Some(Credential::Token(token)) => {
                headers.insert(AUTHORIZATION, token.header());
            }
            Some(Credential::Login(login)) => {
                let ticket = self.ticket_of(login, endpoint, request).await?;
                headers.insert(COOKIE, ticket.cookie);
                if request.changes_something() {
                    headers.insert(CSRF, ticket.csrf);
                }
            }
        }
        Ok(headers)
    }

    /// The kept ticket, or a new one. Whoever comes meanwhile waits for it.
    async fn ticket_of(&self, login: &Login, endpoint: &Endpoint, request: &Request) -> Result<Ticket> {
        let mut kept = self.ticket.lock().await;
        if let Some(ticket) = kept.as_ref().filter(|ticket| ticket.is_fresh(Instant::now())) {
            return Ok(ticket.clone());
        }
        let ticket = self.log_in(login, endpoint).await.map_err(|error| match error {
            // The request itself was not sent, whatever became of the login.
            Error::Unknown { reason, .. } => Error::NotSent {
                call: request.call.name,
                reason: format!("no ticket from {endpoint}: {reason}"),
            },
            other => other,
        })?;
        *kept = Some(ticket.clone());
        Ok(ticket)
    }

    async fn log_in(&self, login: &Login, endpoint: &Endpoint) -> Result<Ticket> {
        let request = login.request()?;
        let answer = self.within_time(endpoint, &request, HeaderMap::new()).await?;
        let body = answer.judge(endpoint, &request)?;
        let refused = |message: &str| Error::Unauthenticated {
            endpoint: endpoint.clone(),
            message: message.to_owned(),
        };
        let granted: Granted = decode(&request, &body)?.ok_or_else(|| refused("the login has no answer"))?;
        if granted.needs_second_factor {
            return Err(refused("this user has a second factor, which only a person can give"));
        }
        Ticket::of(&granted, Instant::now()).ok_or_else(|| refused("the ticket is not complete"))
    }

    async fn within_time(&self, endpoint: &Endpoint, request: &Request, proof: HeaderMap) -> Result<Answer> {
        match tokio::time::timeout(self.timeout, self.converse(endpoint, request, proof)).await {
            Ok(outcome) => outcome,
            Err(_) if request.changes_something() => Err(Error::Unknown {
                call: request.call.name,
                endpoint: endpoint.clone(),
                reason: format!("no answer within {} s", self.timeout.as_secs_f32()),
            }),
            Err(_) => Err(Error::TimedOut {
                call: request.call.name,
                after: self.timeout,
            }),
        }
    }

    async fn converse(&self, endpoint: &Endpoint, request: &Request, proof: HeaderMap) -> Result<Answer> {
        let failed = |e: reqwest::Error| failure(endpoint, request, &e);
        let sending = self.build(endpoint, request)?.headers(proof);
        let sent = Instant::now();
        let mut response = sending.send().await.map_err(failed)?;
        self.clocks.note(endpoint, response.headers(), sent);
        let status = response.status();
        let reason = match response.extensions().get::<ReasonPhrase>() {
            Some(phrase) => String::from_utf8_lossy(phrase.as_bytes()).into_owned(),
            None => status.canonical_reason().unwrap_or_default().to_owned(),
        };
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > self.max_answer {
                return Err(Error::TooLarge {
                    call: request.call.name,
                    limit: self.max_answer,
                });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer {
            status: status.as_u16(),
            reason,
            body,
        })
    }

    fn build(&self, endpoint: &Endpoint, request: &Request) -> Result<reqwest::RequestBuilder> {
        let mut url = Url::parse(&format!("{endpoint}/api2/json{}", request.path))
            .map_err(|e| Error::invalid("path parameter", e.to_string()))?;
        Ok(match request.call.method {
            // PVE refuses a body on GET, and any chunked body.
            Method::Get => {
                if !request.params.is_empty() {
                    url.query_pairs_mut().extend_pairs(&request.params);
                }
                self.reading.get(url)
            }
            Method::Post => self.changing.post(url).form(&request.params),
            Method::Put => self.changing.put(url).form(&request.params),
        })
    }
}

fn http(tls: ClientConfig, timeout: Duration) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .user_agent(concat!("proxmox-client/", env!("CARGO_PKG_VERSION")))
        .http1_only()
        .https_only(true)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .gzip(true)
        .tcp_nodelay(true)
        .connect_timeout(CONNECT.min(timeout))
}

/// What a failed exchange means: connecting comes before sending, anything later may have reached PVE.
fn failure(endpoint: &Endpoint, request: &Request, error: &reqwest::Error) -> Error {
    let (call, endpoint) = (request.call.name, endpoint.clone());
    match tls_cause(error) {
        Some(tls) if error.is_connect() => not_trusted(&endpoint, tls),
        _ if error.is_connect() => Error::NotSent {
            call,
            reason: format!("{endpoint}: {}", last_cause(error)),
        },
        _ => Error::Unknown {
            call,
            endpoint,
            reason: last_cause(error),
        },
    }
}

/// What a TLS handshake that failed means.
pub(crate) fn refused_handshake(endpoint: &Endpoint, error: &io::Error) -> Error {
    match tls_cause(error) {
        Some(tls) => not_trusted(endpoint, tls),
        None => Error::Tls {
            endpoint: endpoint.clone(),
            reason: last_cause(error),
        },
    }
}

fn not_trusted(endpoint: &Endpoint, error: &rustls::Error) -> Error {
    match not_pinned(error) {
        Some(refusal) => Error::TlsMismatch {
            endpoint: endpoint.clone(),
            expected: refusal.expected.clone(),
            got: refusal.got,
        },
        None => Error::Tls {
            endpoint: endpoint.clone(),
            reason: trust::in_words(error),
        },
    }
}

fn tls_cause<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a rustls::Error> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

fn not_pinned(error: &rustls::Error) -> Option<&NotPinned> {
    match error {
        rustls::Error::InvalidCertificate(rustls::CertificateError::Other(other)) => other.0.downcast_ref(),
        _ => None,
    }
}

/// An error and everything behind it. An I/O error hides its cause behind `get_ref`.
fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| {
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner as &(dyn StdError + 'static)),
            None => error.source(),
        }
    })
}

fn last_cause(error: &(dyn StdError + 'static)) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}

fn chain(error: &(dyn StdError + 'static)) -> String {
    causes(error).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
