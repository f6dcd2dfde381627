//! Where an API listens: scheme, host and port, nothing else.

use std::fmt;
use std::str::FromStr;

use rustls_pki_types::ServerName;
use url::{Host, Url};

use crate::Error;

/// The port of PVE's API (`pveproxy`).
const API_PORT: u16 = 8006;

/// One address of a cluster's API: `https://host:port`.
///
/// Read from text with [`str::parse`]. Without a port it is 8006, where PVE listens; a reverse proxy on the port of
/// HTTPS is written out as `:443`. Anything beyond host and port (path, query, user name) is refused, since a pasted
/// browser address with more in it is more often a mistake than a wish.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    host: Host<String>,
    port: u16,
}

impl Endpoint {
    /// An endpoint of a host (name, IPv4 or IPv6 address, without brackets) and a port.
    pub fn new(host: &str, port: u16) -> Result<Self, Error> {
        let bracketed = if host.contains(':') {
            format!("[{host}]")
        } else {
            host.to_owned()
        };
        let host = Host::parse(&bracketed).map_err(|e| Error::invalid("endpoint", format!("host {host:?}: {e}")))?;
        Ok(Self { host, port })
    }

    /// The host as it stands in a URL: an IPv6 address is in brackets.
    pub fn host(&self) -> String {
        self.host.to_string()
    }

    /// The TCP port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Host and port as they stand in a URL.
    pub(crate) fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// The name that a certificate has to be valid for.
    pub(crate) fn server_name(&self) -> Result<ServerName<'static>, Error> {
        match &self.host {
            Host::Ipv4(ip) => Ok(ServerName::from(std::net::IpAddr::from(*ip))),
            Host::Ipv6(ip) => Ok(ServerName::from(std::net::IpAddr::from(*ip))),
            Host::Domain(name) => ServerName::try_from(name.clone())
                .map_err(|e| Error::invalid("endpoint", format!("host {name:?} cannot stand in a certificate: {e}"))),
        }
    }

    /// Host and port in the form that a TCP connect by name takes.
    pub(crate) fn socket_host(&self) -> (String, u16) {
        let host = match &self.host {
            Host::Ipv6(ip) => ip.to_string(),
            other => other.to_string(),
        };
        (host, self.port)
    }
}

impl FromStr for Endpoint {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let refused = |reason: String| Error::invalid("endpoint", format!("{text:?}: {reason}"));
        let text_url = if text.contains("://") {
            text.to_owned()
        } else {
            format!("https://{text}")
        };
        let url = Url::parse(&text_url).map_err(|e| refused(e.to_string()))?;
        if url.scheme() != "https" {
            return Err(refused(
                "PVE's API speaks https only; write https://host:8006".to_owned(),
            ));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refused("an endpoint has no user name or password in it".to_owned()));
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(refused(
                "an endpoint ends after the port; write https://host:8006".to_owned(),
            ));
        }
        let host = url
            .host()
            .ok_or_else(|| refused("there is no host in it".to_owned()))?
            .to_owned();
        let port = url
            .port()
            .unwrap_or(if names_port_443(&text_url) { 443 } else { API_PORT });
        Ok(Self { host, port })
    }
}

/// URL parsers drop a port that is the scheme's default, so an explicit 443 has to be seen in the text.
fn names_port_443(url: &str) -> bool {
    url.trim_end_matches('/').ends_with(":443")
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "https://{}", self.authority())
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        text.parse::<Endpoint>()
            .map_or_else(|e| format!("refused: {e}"), |e| e.to_string())
    }

    #[test]
    fn fills_in_scheme_and_port_of_pve() {
        assert_eq!(shown("https://pve1.example.org:8006"), "https://pve1.example.org:8006");
        assert_eq!(shown("https://pve1.example.org/"), "https://pve1.example.org:8006");
        assert_eq!(shown("192.0.2.1"), "https://192.0.2.1:8006");
        assert_eq!(shown("pve1:18006"), "https://pve1:18006");
        assert_eq!(shown("https://pve.example.org:443/"), "https://pve.example.org:443");
        assert_eq!(shown("https://[2001:db8::1]:443"), "https://[2001:db8::1]:443");
        assert_eq!(shown("https://[2001:db8::1]"), "https://[2001:db8::1]:8006");
    }

    #[test]
    fn refuses_what_is_more_than_host_and_port() {
        for text in [
            "http://pve1:8006",
            "https://pve1:8006/api2/json",
            "https://pve1:8006/?a=1",
            "https://pve1:8006/#v1:0",
            "https://root@pve1:8006",
            "https://",
            "",
            "https://pve 1",
            "https://pve1:99999",
        ] {
            assert!(
                shown(text).starts_with("refused"),
                "{text} was accepted as {}",
                shown(text)
            );
        }
    }

    #[test]
    fn is_made_of_host_and_port() {
        assert_eq!(
            Endpoint::new("2001:db8::1", 8006).expect("an address").to_string(),
            "https://[2001:db8::1]:8006"
        );
        assert_eq!(Endpoint::new("pve1", 1).expect("a name").to_string(), "https://pve1:1");
        assert!(Endpoint::new("pve1/x", 1).is_err());
    }
}
