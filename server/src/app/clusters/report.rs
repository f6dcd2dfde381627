//! What a look at a cluster showed, in words: what the token allows, what it should not, and what else one should know.

use muster_domain::fleet::NodeStatus;
use muster_domain::rights::{self, FeatureReport, Major};
use muster_domain::rollup::counted;
use muster_store::clusters::ClusterRow;
use muster_store::guests::GuestRow;

use crate::app::Error;
use crate::pve::{Failure, Inspection};

/// The report.
#[derive(Debug, Clone, PartialEq)]
pub struct TestReport {
    /// Version of the node that answered.
    pub version: String,
    /// Its release.
    pub release: String,
    /// The name PVE gives the cluster; none for a standalone node, or when the token may not ask.
    pub cluster_name: Option<String>,
    /// Containers that the token sees.
    pub lxcs: usize,
    /// VMs that the token sees.
    pub vms: usize,
    /// The nodes.
    pub nodes: Vec<TestedNode>,
    /// What the token allows, feature by feature.
    pub features: Vec<FeatureReport>,
    /// Rights it has that Muster has no use for.
    pub excess: Vec<String>,
    /// Lines for the PVE shell that give this token all rights Muster uses: for PVE 8, for PVE 9.
    pub pveum: [String; 2],
    /// Lines for the PVE shell that make a user and token that can only look: for PVE 8, for PVE 9.
    pub pveum_audit_only: [String; 2],
    /// Rights that are needed no longer, since every guest that runs has its agent, and the line that takes them away.
    pub needless: Option<(Vec<&'static str>, String)>,
    /// What else one should know.
    pub warnings: Vec<String>,
    inspection: Inspection,
}

/// A node in the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestedNode {
    /// Its name.
    pub name: String,
    /// Whether it answers.
    pub online: bool,
    /// SHA-256 of its certificate.
    pub fingerprint: Option<String>,
}

impl TestReport {
    /// Draws the report up. `others` are the clusters that are known already.
    pub(super) fn of(row: &ClusterRow, inspection: Inspection, others: &[ClusterRow]) -> TestReport {
        let major = Major::of(&inspection.version.release);
        let nodes: Vec<TestedNode> = inspection
            .nodes
            .iter()
            .map(|(name, status)| TestedNode {
                name: name.clone(),
                online: *status == NodeStatus::Online,
                fingerprint: inspection
                    .fingerprints
                    .get(name)
                    .copied()
                    .flatten()
                    .map(|told| told.to_string()),
            })
            .collect();
        let both = |lines: &dyn Fn(Major) -> String| [lines(Major::Eight), lines(Major::Nine)];
        TestReport {
            version: inspection.version.version.clone(),
            release: inspection.version.release.clone(),
            cluster_name: inspection
                .status
                .as_ref()
                .and_then(|status| status.cluster.as_ref())
                .map(|cluster| cluster.name.clone()),
            lxcs: inspection.lxcs,
            vms: inspection.vms,
            features: rights::report(&inspection.permissions, major),
            excess: rights::excess(&inspection.permissions, major),
            pveum: both(&|major| rights::grant_full(major, &row.token_id)),
            pveum_audit_only: both(&|major| rights::create_audit_token(major, "muster@pve", "audit")),
            needless: None,
            warnings: warnings(row, &inspection, &nodes, others),
            nodes,
            inspection,
        }
    }

    /// Offers to take away what only brings agents in, when all of them are there.
    pub(super) fn with_agents_everywhere(mut self) -> TestReport {
        let major = Major::of(&self.release);
        let needless = rights::needless_with_agents(&self.inspection.permissions, major);
        self.needless = (!needless.is_empty()).then(|| (needless, rights::reduce_role(major)));
        self
    }

    /// Refuses a token that sees no guest at all: everything would look empty instead of forbidden.
    pub(super) fn refuse_blindness(&self) -> Result<(), Error> {
        if self.inspection.permissions.allows_anywhere("VM.Audit") {
            return Ok(());
        }
        Err(Failure::new(
            "missing_right",
            "The token lacks VM.Audit on /vms, so PVE shows it no guest. Give it a role that has it, for the user and for the token; the connection test prints the pveum lines.",
        )
        .into())
    }

    /// Whether a node of another cluster has the name and the certificate of one of this. Alone that proves nothing: one
    /// certificate can be for all nodes of an owner.
    pub(super) fn shares_a_node(&self, other: &ClusterRow) -> bool {
        self.nodes
            .iter()
            .any(|node| node.fingerprint.is_some() && other.fingerprints.get(&node.name) == node.fingerprint.as_ref())
    }

    /// Whether what the token sees may be these guests: at least one is the same, or there is nothing to compare.
    pub(super) fn may_be_of(&self, guests: &[GuestRow]) -> bool {
        let seen = &self.inspection.guests;
        let is_same = |row: &GuestRow| seen.contains(&(row.vmid, Some(row.name.clone())));
        seen.is_empty() || guests.is_empty() || guests.iter().any(is_same)
    }

    /// Writes down what was learned.
    pub(super) fn put(&self, row: &mut ClusterRow) {
        row.version = Some(self.version.clone());
        row.release = Some(self.release.clone());
        row.cluster_name.clone_from(&self.cluster_name);
        row.permissions = Some(self.inspection.permissions.clone().into());
        row.fingerprints.0 = self
            .nodes
            .iter()
            .filter_map(|node| Some((node.name.clone(), node.fingerprint.clone()?)))
            .collect();
    }
}

fn warnings(row: &ClusterRow, inspection: &Inspection, nodes: &[TestedNode], others: &[ClusterRow]) -> Vec<String> {
    let mut warnings = Vec::new();
    if !inspection.permissions.allows_anywhere("VM.Audit") {
        warnings.push("The token lacks VM.Audit, so PVE shows it no guest.".to_owned());
    } else if inspection.lxcs + inspection.vms == 0 {
        warnings.push("The token sees no guest: there is none, or it lacks VM.Audit on them.".to_owned());
    }
    let silent: Vec<&str> = nodes
        .iter()
        .filter(|node| !node.online)
        .map(|node| node.name.as_str())
        .collect();
    if !silent.is_empty() {
        let count = counted(u32::try_from(silent.len()).unwrap_or(u32::MAX), "node does", "nodes do");
        warnings.push(format!("{count} not answer the cluster: {}.", silent.join(", ")));
    }
    let quorate = inspection
        .status
        .as_ref()
        .and_then(|status| status.cluster.as_ref())
        .map(|cluster| cluster.quorate);
    if quorate == Some(false) {
        warnings.push("The cluster has no quorum: it can be read and refuses changes.".to_owned());
    }
    if row.token_id.starts_with("root@pam!") {
        warnings.push("The token is one of root@pam: a user of its own could do less harm.".to_owned());
    }
    let told: Vec<&str> = nodes.iter().filter_map(|node| node.fingerprint.as_deref()).collect();
    let same = others
        .iter()
        .filter(|other| other.id != row.id)
        .find(|other| other.fingerprints.values().any(|known| told.contains(&known.as_str())));
    if let Some(same) = same {
        warnings.push(format!("A node of it already belongs to the cluster {}.", same.name));
    }
    warnings
}
