//! What probes and tests of clusters answer.

use std::collections::BTreeMap;

use muster_domain::Timestamp;
use muster_domain::rights::{self, Major};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::clusters::TestReport;
use crate::pve::{Endpoint, PresentedCertificate};

/// An address to look at.
#[derive(Deserialize, ToSchema)]
#[schema(as = Probe)]
#[serde(deny_unknown_fields)]
pub(super) struct ProbeBody {
    /// The port is 8006 unless said.
    pub(super) url: String,
}

/// The certificate of an address.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ProbeReport {
    /// The address as it will be used.
    url: String,
    /// SHA-256, `AA:BB:…`: compare it with the one the node shows under System, Certificates.
    fingerprint: String,
    subject: String,
    issuer: String,
    not_after: Option<Timestamp>,
    /// Names and addresses it is for.
    names: Vec<String>,
    /// Whether a browser would trust it; then nothing has to be pinned.
    trusted: bool,
    /// Why not.
    trust_problem: Option<String>,
    /// Lines for the PVE shell, by PVE major, that make a token with all rights Muster uses.
    pveum: BTreeMap<&'static str, String>,
    /// The same for a token that can only look.
    pveum_audit_only: BTreeMap<&'static str, String>,
}

/// What a test of a cluster showed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TestReport)]
pub(super) struct TestReportView {
    version: String,
    release: String,
    /// The name PVE gives the cluster; null for a standalone node.
    cluster_name: Option<String>,
    found: FoundView,
    nodes: Vec<TestedNodeView>,
    features: Vec<FeatureView>,
    /// Rights the token has and this version of Muster has no use for: take them away.
    excess: Vec<String>,
    /// Lines for the PVE shell, by PVE major, that give this token all rights this version uses.
    pveum: BTreeMap<&'static str, String>,
    /// Lines that make a token that can only look.
    pveum_audit_only: BTreeMap<&'static str, String>,
    /// Rights that can be taken away, since every guest that runs has its agent; null while one lacks it.
    needless: Option<NeedlessView>,
    /// What else one should know.
    warnings: Vec<String>,
}

/// Rights that only bring agents in. Without them a stolen server runs nothing in guests by consoles.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NeedlessRights)]
struct NeedlessView {
    rights: Vec<&'static str>,
    /// The line for the PVE shell that takes them from Muster's role.
    pveum: String,
}

/// What the token sees.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TestFound)]
struct FoundView {
    nodes: usize,
    lxcs: usize,
    vms: usize,
}

/// A node in a test.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TestedNode)]
struct TestedNodeView {
    name: String,
    online: bool,
    /// SHA-256 of its certificate; null for a node that was never up.
    fingerprint: Option<String>,
}

/// One thing Muster does with PVE.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Feature)]
struct FeatureView {
    name: &'static str,
    label: &'static str,
    /// The rights it takes.
    rights: Vec<&'static str>,
    missing: Vec<MissingRightView>,
    /// Whether all of them are there.
    ok: bool,
    /// Whether this version of Muster does it: what is missing for the others does no harm.
    used: bool,
}

/// A right that is not there.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MissingRight)]
struct MissingRightView {
    right: &'static str,
    path: &'static str,
}

pub(super) fn of_probe(endpoint: &Endpoint, shown: PresentedCertificate) -> ProbeReport {
    ProbeReport {
        url: endpoint.to_string(),
        fingerprint: shown.fingerprint.to_string(),
        subject: shown.subject,
        issuer: shown.issuer,
        not_after: shown.not_after.checked_mul(1_000_000).map(Timestamp::from_micros),
        names: shown.names,
        trusted: shown.valid_by_system.is_ok(),
        trust_problem: shown.valid_by_system.err(),
        pveum: by_major(
            [Major::Eight, Major::Nine].map(|major| rights::create_full_token(major, "muster@pve", "main")),
        ),
        pveum_audit_only: by_major(
            [Major::Eight, Major::Nine].map(|major| rights::create_audit_token(major, "muster@pve", "audit")),
        ),
    }
}

pub(super) fn of_test(report: TestReport) -> TestReportView {
    TestReportView {
        version: report.version,
        release: report.release,
        cluster_name: report.cluster_name,
        found: FoundView {
            nodes: report.nodes.len(),
            lxcs: report.lxcs,
            vms: report.vms,
        },
        nodes: report
            .nodes
            .into_iter()
            .map(|node| TestedNodeView {
                name: node.name,
                online: node.online,
                fingerprint: node.fingerprint,
            })
            .collect(),
        features: report
            .features
            .into_iter()
            .map(|line| FeatureView {
                name: line.feature.name,
                label: line.feature.label,
                rights: line.rights,
                ok: line.missing.is_empty(),
                missing: line
                    .missing
                    .into_iter()
                    .map(|missing| MissingRightView {
                        right: missing.right,
                        path: missing.path,
                    })
                    .collect(),
                used: line.feature.used,
            })
            .collect(),
        excess: report.excess,
        pveum: by_major(report.pveum),
        pveum_audit_only: by_major(report.pveum_audit_only),
        needless: report.needless.map(|(rights, pveum)| NeedlessView { rights, pveum }),
        warnings: report.warnings,
    }
}

fn by_major([eight, nine]: [String; 2]) -> BTreeMap<&'static str, String> {
    BTreeMap::from([("8", eight), ("9", nine)])
}
