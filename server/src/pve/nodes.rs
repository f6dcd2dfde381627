//! What changes rarely: the cluster's members, the token's rights, backups, and the nodes' versions and updates.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt as _;
use muster_domain::NodeId;
use muster_domain::reach::{CONSOLE_PACKAGES, Packages};
use muster_domain::rights::Permissions;
use proxmox_client::{AptUpdate, AptVersion, Client, ClusterStatus, Fingerprint, Version};

use super::Failure;

/// What is asked about the cluster as a whole now and then.
#[derive(Debug, Clone, PartialEq)]
pub struct Overview {
    /// Version of the node that answered.
    pub version: Version,
    /// The token's rights.
    pub permissions: Permissions,
    /// The certificate of each node; none of one that was never up.
    pub fingerprints: BTreeMap<String, Option<Fingerprint>>,
    /// Numbers of the guests that no backup job covers; `None` when the token may not ask.
    pub not_backed_up: Option<BTreeSet<i64>>,
}

/// A node whose version and updates are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeToAsk {
    /// Our id.
    pub id: NodeId,
    /// Its name.
    pub name: String,
    /// Whether the token may ask for its updates.
    pub may_ask_updates: bool,
    /// Whether the token may ask for the versions of its packages.
    pub may_ask_packages: bool,
}

/// What a node said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeDetails {
    /// Its version.
    pub version: String,
    /// Its updates; `None` when the token may not ask.
    pub updates: Option<NodeUpdates>,
    /// Its packages that decide about consoles; `None` when the token may not ask.
    pub packages: Option<Packages>,
}

/// The package updates that wait on a node, as of its own last look at the repositories.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeUpdates {
    /// How many.
    pub total: i64,
}

/// Asks about the cluster as a whole: four calls at most.
pub async fn overview(client: &Client) -> Result<Overview, Failure> {
    let version = client.version().await?;
    let permissions = Permissions(client.permissions().await?.by_path);
    let fingerprints = fingerprints(client).await?;
    let not_backed_up = match permissions.allows("Sys.Audit", "/") {
        true => {
            let found = client.not_backed_up().await?;
            Some(found.iter().map(|guest| i64::from(guest.vmid)).collect())
        }
        false => None,
    };
    Ok(Overview {
        version,
        permissions,
        fingerprints,
        not_backed_up,
    })
}

/// The certificate of each node, as the cluster's own file system holds it.
pub(super) async fn fingerprints(client: &Client) -> Result<BTreeMap<String, Option<Fingerprint>>, Failure> {
    let nodes = client.nodes().await?;
    let told = nodes.into_iter().map(|node| {
        let fingerprint = node.ssl_fingerprint.and_then(|text| text.parse().ok());
        (node.node, fingerprint)
    });
    Ok(told.collect())
}

/// Asks the nodes; one that does not answer does not keep the others' answers back.
pub async fn ask_nodes(client: &Client, nodes: Vec<NodeToAsk>) -> (Vec<(NodeId, NodeDetails)>, Vec<(String, Failure)>) {
    let answers = futures::stream::iter(nodes.into_iter().map(|node| async {
        let answer = ask(client, &node).await;
        (node, answer)
    }))
    .buffer_unordered(64)
    .collect::<Vec<_>>()
    .await;
    let (mut known, mut failures) = (Vec::new(), Vec::new());
    for (node, answer) in answers {
        match answer {
            Ok(details) => known.push((node.id, details)),
            Err(failure) => failures.push((node.name, failure)),
        }
    }
    (known, failures)
}

async fn ask(client: &Client, node: &NodeToAsk) -> Result<NodeDetails, Failure> {
    let version = client.node_version(&node.name).await?.version;
    let updates = match node.may_ask_updates {
        true => Some(count(&client.apt_updates(&node.name).await?)),
        false => None,
    };
    let packages = match node.may_ask_packages {
        true => Some(deciding(&client.apt_versions(&node.name).await?)),
        false => None,
    };
    Ok(NodeDetails {
        version,
        updates,
        packages,
    })
}

/// The installed versions of the packages that decide about consoles.
fn deciding(versions: &[AptVersion]) -> Packages {
    let decides = |name: &str| CONSOLE_PACKAGES.iter().any(|(package, _)| *package == name);
    let installed = versions
        .iter()
        .filter(|package| decides(&package.package))
        .filter_map(|package| Some((package.package.clone(), package.installed()?.to_owned())));
    Packages(installed.collect())
}

/// PVE does not say which of them close security holes: its list names the maker (`Origin`), not the suite.
fn count(updates: &[AptUpdate]) -> NodeUpdates {
    NodeUpdates {
        total: i64::try_from(updates.len()).unwrap_or(i64::MAX),
    }
}

/// The addresses of the members, by name.
pub(super) fn addresses(status: &ClusterStatus) -> BTreeMap<String, String> {
    status
        .nodes
        .iter()
        .filter_map(|member| Some((member.name.clone(), member.ip.clone()?)))
        .collect()
}
