//! The way from a stored cluster to a connection: its secret is opened here, and nowhere else.

use std::sync::Arc;

use muster_domain::ClusterId;
use muster_store::clusters::ClusterRow;
use muster_store::nodes::NodeRow;

use super::{App, Error};
use crate::pve::{
    ApiToken, Basis, CallError, Connection, Credential, Endpoint, Failure, Fingerprint, Login, Settings, Tls,
    node_endpoint,
};

/// What a cluster's secret is sealed for.
pub(super) const TOKEN_SECRET: &str = "pve_token";
/// What the password of a cluster's user is sealed for.
pub(super) const LOGIN_PASSWORD: &str = "pve_login";

impl App {
    /// The connection to a cluster with its token; made anew when what it was made of has changed.
    pub async fn connect(&self, row: &ClusterRow) -> Result<Arc<Connection>, Error> {
        let made = |secret: &str| ApiToken::new(&row.token_id, secret).map(Credential::Token);
        self.connect_as(row, &row.token_id, TOKEN_SECRET, made).await
    }

    /// The same with its user and password. A conflict when none is stored.
    pub async fn connect_by_login(&self, row: &ClusterRow) -> Result<Arc<Connection>, Error> {
        let user = row.login_user.as_deref().ok_or_else(|| Error::Conflict {
            code: "no_login",
            detail: format!("{} has no user with a password: store one in its settings", row.name),
        })?;
        let made = |secret: &str| Login::new(user, secret).map(Credential::Login);
        self.connect_as(row, user, LOGIN_PASSWORD, made).await
    }

    async fn connect_as(
        &self,
        row: &ClusterRow,
        identity: &str,
        purpose: &str,
        credential: impl FnOnce(&str) -> Result<Credential, CallError>,
    ) -> Result<Arc<Connection>, Error> {
        let mut tx = self.store.read().await?;
        let nodes = tx.nodes_of(ClusterId(row.id)).await?;
        let sealed = tx
            .secret(row.id, purpose)
            .await?
            .map(|secret| secret.sealed)
            .unwrap_or_default();
        let secret = self.seal.get(&mut tx, row.id, purpose).await?;
        drop(tx);
        let endpoints = endpoints(row, &nodes);
        let basis = Basis {
            endpoints: endpoints.iter().map(Endpoint::to_string).collect(),
            identity: identity.to_owned(),
            sealed,
            tls: (row.tls_mode.clone(), row.accepted.clone(), row.ca_pem.clone()),
        };
        let memory = self.pve.of(ClusterId(row.id));
        let open = || {
            let secret = std::str::from_utf8(&secret).unwrap_or_default();
            Connection::open(Settings {
                endpoints,
                credential: credential(secret)?,
                tls: tls(row),
                timeout: self.config.pve_timeout(),
            })
        };
        let connection = match purpose {
            LOGIN_PASSWORD => memory.connection_by_login(basis, open),
            _ => memory.connection(basis, open),
        };
        Ok(connection?)
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Error {
        Error::Upstream {
            code: failure.code,
            detail: failure.detail,
        }
    }
}

/// The addresses somebody gave, then those of the nodes, so that the cluster is reached as long as one of them answers.
/// Not with public certificates: those name no address.
fn endpoints(row: &ClusterRow, nodes: &[NodeRow]) -> Vec<Endpoint> {
    let mut endpoints: Vec<Endpoint> = row.endpoints.iter().filter_map(|text| text.parse().ok()).collect();
    if row.tls_mode != "system" {
        let learned: Vec<Endpoint> = nodes
            .iter()
            .filter(|node| node.gone_at.is_none())
            .filter_map(|node| node_endpoint(&endpoints, node.address.as_deref()?))
            .collect();
        for endpoint in learned {
            if !endpoints.contains(&endpoint) {
                endpoints.push(endpoint);
            }
        }
    }
    endpoints
}

pub(super) fn tls(row: &ClusterRow) -> Tls {
    match (row.tls_mode.as_str(), &row.ca_pem) {
        ("pinned", _) => Tls::Pinned(pins(row)),
        ("cluster_ca", Some(pem)) => Tls::ClusterCa(pem.clone()),
        _ => Tls::System,
    }
}

/// All certificates that are trusted: the accepted one and those of the nodes.
fn pins(row: &ClusterRow) -> Vec<Fingerprint> {
    row.accepted
        .iter()
        .chain(row.fingerprints.values())
        .filter_map(|text| text.parse().ok())
        .collect()
}
