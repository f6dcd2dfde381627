//! Which certificates are trusted after the cluster has told those of its nodes. It tells them over a connection that is
//! trusted, so a node whose certificate was renewed is believed because another node vouches for it.

use std::collections::BTreeMap;

use muster_store::clusters::ClusterRow;

use crate::pve::{Fingerprint, Overview};

/// The nodes' certificates: as told now, else as known before. A node that is no longer listed is no longer trusted.
pub(super) fn merged(row: &ClusterRow, overview: Option<&Overview>) -> BTreeMap<String, Fingerprint> {
    let before: BTreeMap<String, Fingerprint> = row
        .fingerprints
        .iter()
        .filter_map(|(node, text)| Some((node.clone(), text.parse().ok()?)))
        .collect();
    let Some(overview) = overview else { return before };
    overview
        .fingerprints
        .iter()
        .filter_map(|(node, told)| Some((node.clone(), (*told).or_else(|| before.get(node).copied())?)))
        .collect()
}

/// The accepted certificate: when it was that of a node, it is renewed with that node's. One that is of no node (of a proxy
/// in front of the cluster) stays.
pub(super) fn accepted(row: &ClusterRow, told: &BTreeMap<String, Fingerprint>) -> Option<String> {
    let accepted = row.accepted.as_ref()?;
    let owner = row.fingerprints.iter().find(|(_, known)| *known == accepted);
    let renewed = owner.and_then(|(node, _)| told.get(node)).map(ToString::to_string);
    renewed.or_else(|| Some(accepted.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(accepted: &str, known: &[(&str, &Fingerprint)]) -> ClusterRow {
        ClusterRow {
            id: uuid::Uuid::nil(),
            name: "a".to_owned(),
            endpoints: Vec::new().into(),
            token_id: String::new(),
            tls_mode: "pinned".to_owned(),
            accepted: Some(accepted.to_owned()),
            fingerprints: known
                .iter()
                .map(|(node, fingerprint)| ((*node).to_owned(), fingerprint.to_string()))
                .collect::<BTreeMap<_, _>>()
                .into(),
            ca_pem: None,
            state_seconds: 10,
            detail_seconds: 3600,
            paused: false,
            version: None,
            release: None,
            cluster_name: None,
            quorate: None,
            permissions: None,
            last_discovered_at: None,
            error_code: None,
            error_detail: None,
            error_since: None,
            health: Vec::new().into(),
            created_at: 0,
            updated_at: 0,
            login_user: None,
        }
    }

    #[test]
    fn a_renewed_certificate_replaces_the_accepted_one_of_its_node() {
        let (old, new) = (Fingerprint::of(b"old"), Fingerprint::of(b"new"));
        let row = row(&old.to_string(), &[("pve1", &old)]);
        let told = BTreeMap::from([("pve1".to_owned(), new)]);
        assert_eq!(accepted(&row, &told), Some(new.to_string()));
    }

    #[test]
    fn the_certificate_of_a_proxy_stays() {
        let (proxy, node) = (Fingerprint::of(b"proxy"), Fingerprint::of(b"node"));
        let row = row(&proxy.to_string(), &[("pve1", &node)]);
        let told = BTreeMap::from([("pve1".to_owned(), Fingerprint::of(b"renewed"))]);
        assert_eq!(accepted(&row, &told), Some(proxy.to_string()));
    }
}
