//! What there is at the beginning: clusters, nodes, guests and what could be updated in them.

mod build;
mod fleet;
mod homelab;
mod spec;

pub(crate) use build::{AUDIT_TOKEN, MAIN_TOKEN, USER, add_guest, address_of, build};
pub use spec::Flaw;
pub use spec::{ClusterSpec, GuestSpec, PackageSpec};

/// A world to start with.
#[derive(Debug, Clone)]
pub enum Scenario {
    /// Three small clusters as somebody has them at home, with every kind of trouble. The third is one to be added by
    /// hand.
    Homelab,
    /// Many clusters that look alike, made from the seed. Nothing runs behind their guests.
    Fleet {
        /// How many clusters.
        clusters: usize,
        /// Nodes in each cluster.
        nodes: usize,
        /// Guests in each cluster.
        guests: usize,
    },
    /// Exactly these clusters.
    Custom(Vec<ClusterSpec>),
}

impl Scenario {
    /// One cluster with a single node `pve1` (in no cluster) and the given guests.
    pub fn one_node(guests: Vec<GuestSpec>) -> Scenario {
        Scenario::Custom(vec![
            ClusterSpec::new("lab", "Lab")
                .standalone()
                .nodes(["pve1"])
                .guests(guests),
        ])
    }

    /// The clusters in order; the position decides their addresses.
    pub(crate) fn clusters(&self, seed: u64) -> Vec<ClusterSpec> {
        match self {
            Scenario::Homelab => homelab::clusters(),
            Scenario::Fleet {
                clusters,
                nodes,
                guests,
            } => fleet::clusters(seed, *clusters, *nodes, *guests),
            Scenario::Custom(clusters) => clusters.clone(),
        }
    }
}
