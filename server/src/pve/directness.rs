//! Which nodes can be asked at their own address. The cluster tells addresses that may be of a network of its own, so each
//! is tried once before it is used: a call to one that does not answer would wait for nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::StreamExt as _;
use proxmox_client::{ClusterStatus, Endpoint, Fingerprint, probe};

use super::nodes::addresses;
use super::{Connection, Memory};

/// How long an address may take to present its certificate.
const PATIENCE: Duration = Duration::from_secs(3);

/// Finds the nodes that present at their own address the certificate the cluster tells of them, and asks them directly
/// from now on. Only where certificates are the cluster's own: a public one names no address.
pub async fn find_direct_ways(
    connection: &Connection,
    memory: &Memory,
    status: &ClusterStatus,
    fingerprints: &BTreeMap<String, Fingerprint>,
) {
    let before = memory.direct();
    let tries = addresses(status).into_iter().filter_map(|(name, address)| {
        let way = (connection.endpoint_of(&address)?, *fingerprints.get(&name)?);
        Some((name, way))
    });
    let direct: BTreeMap<String, (Endpoint, Fingerprint)> = futures::stream::iter(tries)
        .map(|(name, way)| async {
            let works = before.get(&name) == Some(&way) || presents(&way.0, way.1).await;
            works.then_some((name, way))
        })
        .buffer_unordered(8)
        .filter_map(std::future::ready)
        .collect()
        .await;
    connection.go_directly(
        direct
            .iter()
            .map(|(name, (endpoint, _))| (name.clone(), endpoint.clone()))
            .collect(),
    );
    memory.note_direct(direct);
}

async fn presents(endpoint: &Endpoint, fingerprint: Fingerprint) -> bool {
    probe(endpoint, PATIENCE)
        .await
        .is_ok_and(|shown| shown.fingerprint == fingerprint)
}
