//! What is known about a request before anything else looks at it: its id, who sent it, and over what.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use ipnet::IpNet;
use muster_domain::RequestId;

use super::Site;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Facts about one request, in its extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestInfo {
    /// Stands in the log, in problems and in the answer's `X-Request-Id`.
    pub id: RequestId,
    /// The sender, as far as trusted proxies tell.
    pub address: IpAddr,
    /// Whether the browser speaks https, to us or to a trusted proxy.
    pub secure: bool,
}

/// Whether our own connections are TLS, and which proxies may speak for others.
#[derive(Debug, Clone)]
pub struct Edge {
    /// We serve TLS ourselves.
    pub tls: bool,
    /// Believed proxies.
    pub trusted_proxies: Vec<IpNet>,
}

/// Puts [`RequestInfo`] into the request, and its id into the answer.
pub async fn inform(State(site): State<Site>, mut request: Request, next: Next) -> Response {
    let peer = request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.0.ip());
    let info = RequestInfo {
        id: RequestId(site.app.ids.next()),
        address: site.edge.sender(peer, request.headers()),
        secure: site.edge.is_secure(peer, request.headers()),
    };
    request.extensions_mut().insert(info);
    let mut response = next.run(request).await;
    if let Ok(id) = HeaderValue::from_str(&info.id.to_string()) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

impl Edge {
    /// The last address in `X-Forwarded-For` that is not a trusted proxy; `peer` when it is none itself.
    fn sender(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut sender = peer.to_canonical();
        let named: Vec<&str> = headers
            .get_all("x-forwarded-for")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .collect();
        for text in named.into_iter().rev() {
            if !self.trusts(sender) {
                break;
            }
            match text.trim().parse::<IpAddr>() {
                Ok(address) => sender = address.to_canonical(),
                Err(_) => break,
            }
        }
        sender
    }

    fn is_secure(&self, peer: IpAddr, headers: &HeaderMap) -> bool {
        let told = headers.get("x-forwarded-proto").and_then(|value| value.to_str().ok());
        self.tls || (self.trusts(peer.to_canonical()) && told.is_some_and(|told| told.eq_ignore_ascii_case("https")))
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|network| network.contains(&address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge() -> Edge {
        Edge {
            tls: false,
            trusted_proxies: vec!["10.0.0.0/8".parse().expect("a network")],
        }
    }

    fn headers(name: &'static str, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(HeaderName::from_static(name), HeaderValue::from_static(value))])
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn only_a_trusted_proxy_speaks_for_others() {
        let told = headers("x-forwarded-for", "6.6.6.6, 192.0.2.7, 10.0.0.9");
        assert_eq!(
            edge().sender(ip("10.0.0.1"), &told),
            ip("192.0.2.7"),
            "what stands before the first stranger is hearsay"
        );
        assert_eq!(edge().sender(ip("192.0.2.1"), &told), ip("192.0.2.1"));
        let https = headers("x-forwarded-proto", "https");
        assert!(edge().is_secure(ip("10.0.0.1"), &https));
        assert!(!edge().is_secure(ip("192.0.2.1"), &https));
    }
}
