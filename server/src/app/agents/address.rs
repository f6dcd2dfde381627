//! The address under which agents reach Muster: set by an admin, guessed from the way to PVE.

use std::net::{IpAddr, SocketAddr, UdpSocket};

use muster_domain::access::Role;
use muster_store::Tx;
use url::Url;

use crate::app::settings::Settings;
use crate::app::{App, Ctx, Error};

impl App {
    /// The address that agents are given. Nothing is guessed here, except that a server on loopback beside clusters on
    /// loopback is a demonstration, whose guests share the loopback with it.
    pub async fn agent_url(&self, tx: &mut Tx) -> Result<Url, Error> {
        if let Some(url) = Settings::read(tx).await?.agent_url {
            return Ok(url);
        }
        let own = self.own_address(self.config.listen.ip());
        let ways = ways_to_pve(tx).await?;
        match own {
            Some(own) if self.config.listen.ip().is_loopback() && !ways.is_empty() => {
                if ways.iter().all(IpAddr::is_loopback) {
                    return Ok(own);
                }
                Err(missing())
            }
            _ => Err(missing()),
        }
    }

    /// Addresses of this machine from which the clusters are reached, as agents would be given them. The first is the best.
    pub async fn agent_url_guesses(&self, ctx: &Ctx) -> Result<Vec<Url>, Error> {
        ctx.require(Role::Viewer)?;
        let ways = ways_to_pve(&mut self.store.read().await?).await?;
        let listen = self.config.listen.ip();
        let mut guesses: Vec<Url> = self.config.public_url.iter().cloned().collect();
        for way in ways {
            let reached = if listen.is_unspecified() { way } else { listen };
            guesses.extend(self.own_address(reached).filter(|url| !guesses.contains(url)));
        }
        Ok(guesses)
    }

    fn own_address(&self, ip: IpAddr) -> Option<Url> {
        let scheme = if self.config.tls_cert.is_some() {
            "https"
        } else {
            "http"
        };
        let address = SocketAddr::new(ip, self.config.listen.port());
        Url::parse(&format!("{scheme}://{address}")).ok()
    }
}

fn missing() -> Error {
    Error::Conflict {
        code: "agent_url_missing",
        detail: "the address under which guests reach Muster is not set: set it in the settings first".to_owned(),
    }
}

/// Own addresses from which the endpoints of the clusters are reached. Nothing is sent: connecting a datagram socket only
/// asks the system for the way. Endpoints with names are left out, since looking them up may take long.
async fn ways_to_pve(tx: &mut Tx) -> Result<Vec<IpAddr>, Error> {
    let mut ways = Vec::new();
    for cluster in tx.clusters().await? {
        for endpoint in cluster.endpoints.0.iter().filter_map(|url| Url::parse(url).ok()) {
            if let Some(way) = way_to(&endpoint).filter(|way| !ways.contains(way)) {
                ways.push(way);
            }
        }
    }
    Ok(ways)
}

fn way_to(endpoint: &Url) -> Option<IpAddr> {
    let ip: IpAddr = match endpoint.host()? {
        url::Host::Ipv4(ip) => ip.into(),
        url::Host::Ipv6(ip) => ip.into(),
        url::Host::Domain("localhost") => IpAddr::from([127, 0, 0, 1]),
        url::Host::Domain(_) => return None,
    };
    let any: SocketAddr = if ip.is_ipv4() {
        ([0, 0, 0, 0], 0).into()
    } else {
        ([0; 8], 0).into()
    };
    let socket = UdpSocket::bind(any).ok()?;
    socket.connect((ip, endpoint.port_or_known_default()?)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}
