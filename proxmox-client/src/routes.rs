//! Which endpoint is asked first.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::Endpoint;

/// How long an endpoint is put last after its first failure in a row; each further one doubles it.
const FIRST_PENALTY: Duration = Duration::from_secs(5);
const LONGEST_PENALTY: Duration = Duration::from_secs(120);

/// The endpoints of a cluster, in the order of their configuration, and how they have done lately.
#[derive(Debug)]
pub(crate) struct Routes {
    endpoints: Vec<Endpoint>,
    nodes: Mutex<BTreeMap<String, Endpoint>>,
    failures: Mutex<HashMap<Endpoint, Failure>>,
}

#[derive(Debug, Clone, Copy)]
struct Failure {
    in_a_row: u32,
    last_until: Instant,
}

impl Routes {
    pub(crate) fn new(endpoints: Vec<Endpoint>) -> Self {
        Self {
            endpoints,
            nodes: Mutex::default(),
            failures: Mutex::default(),
        }
    }

    pub(crate) fn set_nodes(&self, nodes: BTreeMap<String, Endpoint>) {
        *self.nodes.lock().unwrap_or_else(PoisonError::into_inner) = nodes;
    }

    /// All endpoints that may be asked, best first: the node's own address, then the configured ones; those that
    /// failed a moment ago last.
    pub(crate) fn order(&self, node: Option<&str>, now: Instant) -> Vec<Endpoint> {
        let own = node.and_then(|name| {
            self.nodes
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get(name)
                .cloned()
        });
        let mut order: Vec<Endpoint> = own.into_iter().collect();
        for endpoint in &self.endpoints {
            if !order.contains(endpoint) {
                order.push(endpoint.clone());
            }
        }
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        order.sort_by_key(|endpoint| failures.get(endpoint).is_some_and(|failure| failure.last_until > now));
        order
    }

    pub(crate) fn worked(&self, endpoint: &Endpoint) {
        self.failures
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(endpoint);
    }

    pub(crate) fn failed(&self, endpoint: &Endpoint, now: Instant) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let in_a_row = failures
            .get(endpoint)
            .map_or(1, |failure| failure.in_a_row.saturating_add(1));
        let penalty = FIRST_PENALTY
            .saturating_mul(2u32.saturating_pow(in_a_row - 1))
            .min(LONGEST_PENALTY);
        failures.insert(
            endpoint.clone(),
            Failure {
                in_a_row,
                last_until: now + penalty,
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(text: &str) -> Endpoint {
        text.parse().expect("an endpoint")
    }

    fn order(routes: &Routes, node: Option<&str>, now: Instant) -> Vec<String> {
        routes.order(node, now).iter().map(Endpoint::host).collect()
    }

    #[test]
    fn a_failed_endpoint_is_last_for_a_while_that_grows() {
        let routes = Routes::new(vec![endpoint("a"), endpoint("b")]);
        let mut now = Instant::now();
        assert_eq!(order(&routes, None, now), ["a", "b"]);

        routes.failed(&endpoint("a"), now);
        assert_eq!(order(&routes, None, now), ["b", "a"]);
        now += FIRST_PENALTY;
        assert_eq!(order(&routes, None, now), ["a", "b"]);

        routes.failed(&endpoint("a"), now);
        now += FIRST_PENALTY;
        assert_eq!(order(&routes, None, now), ["b", "a"]);

        for _ in 0..100 {
            routes.failed(&endpoint("a"), now);
        }
        now += LONGEST_PENALTY;
        assert_eq!(order(&routes, None, now), ["a", "b"]);

        routes.failed(&endpoint("a"), now);
        routes.worked(&endpoint("a"));
        assert_eq!(order(&routes, None, now), ["a", "b"]);
    }

    #[test]
    fn a_node_is_asked_at_its_own_address_first() {
        let routes = Routes::new(vec![endpoint("a"), endpoint("b")]);
        routes.set_nodes(BTreeMap::from([
            ("pve2".to_owned(), endpoint("b")),
            ("pve3".to_owned(), endpoint("c")),
        ]));
        let now = Instant::now();
        assert_eq!(order(&routes, Some("pve2"), now), ["b", "a"]);
        assert_eq!(order(&routes, Some("pve3"), now), ["c", "a", "b"]);
        assert_eq!(order(&routes, Some("unknown"), now), ["a", "b"]);
        routes.failed(&endpoint("c"), now);
        assert_eq!(order(&routes, Some("pve3"), now), ["a", "b", "c"]);
    }
}
