//! What a PVE token may do, what Muster needs for each of its features, and the lines for the PVE shell that grant it.
//!
//! PVE checks privileges of guests at `/vms/<id>`, of nodes at `/nodes/<name>`, of storages at `/storage/<id>`, of the
//! cluster at `/`. PVE 9 removed `VM.Monitor` and brought `VM.GuestAgent.*` (pve-access-control, `PVE/AccessControl.pm`).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// A token's effective rights as `GET /access/permissions` tells them: path → privileges. PVE lists the roots of its tree
/// and every path that somebody gave rights on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Permissions(pub BTreeMap<String, BTreeSet<String>>);

/// The PVE majors Muster knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Major {
    /// 8.x
    Eight,
    /// 9.x and, until it is known better, whatever comes after it.
    Nine,
}

/// What a token may do with one guest beyond looking at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuestRights {
    /// Open its console.
    pub console: bool,
    /// Run commands by its QEMU guest agent.
    pub guest_agent: bool,
    /// Change what its console shows.
    pub options: bool,
    /// Restart it.
    pub power: bool,
}

/// One thing Muster does with PVE, and the rights it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Feature {
    /// Stable name.
    pub name: &'static str,
    /// For people.
    pub label: &'static str,
    /// Whether this version of Muster does it. Rights of other features are not asked for.
    pub used: bool,
    /// Whether it only looks.
    pub audit: bool,
    /// Whether agents make it needless.
    pub until_agents: bool,
    /// What it takes on PVE 8, and on PVE 9.
    needs: [&'static [Need]; 2],
}

/// A privilege and where it must hold.
pub type Need = (&'static str, &'static str);

/// A right that is not there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MissingRight {
    /// The privilege, e.g. `VM.Audit`.
    pub right: &'static str,
    /// Where it is missing, e.g. `/vms`.
    pub path: &'static str,
}

/// What the token allows of one feature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureReport {
    /// The feature.
    pub feature: &'static Feature,
    /// All rights it takes on this PVE.
    pub rights: Vec<&'static str>,
    /// Those that are not there; empty when the feature works.
    pub missing: Vec<MissingRight>,
}

/// Everything Muster may do with PVE, those that only look first.
pub const FEATURES: &[Feature] = &[
    Feature {
        name: "discover",
        label: "See nodes, containers and VMs",
        used: true,
        audit: true,
        until_agents: false,
        needs: both(&[("VM.Audit", "/vms"), ("Sys.Audit", "/")]),
    },
    Feature {
        name: "pools",
        label: "See which pool a guest is in",
        used: true,
        audit: true,
        until_agents: false,
        needs: both(&[("Pool.Audit", "/pool")]),
    },
    Feature {
        name: "storages",
        label: "See how full storages are",
        used: true,
        audit: true,
        until_agents: false,
        needs: both(&[("Datastore.Audit", "/storage")]),
    },
    Feature {
        name: "vm_addresses",
        label: "See addresses and system of VMs by their guest agent",
        used: true,
        audit: true,
        until_agents: false,
        needs: [&[("VM.Monitor", "/vms")], &[("VM.GuestAgent.Audit", "/vms")]],
    },
    Feature {
        name: "node_updates",
        label: "See which updates wait on the nodes",
        used: true,
        audit: false,
        until_agents: false,
        needs: both(&[("Sys.Modify", "/nodes")]),
    },
    Feature {
        name: "console_exec",
        label: "Run commands in containers by their console",
        used: true,
        audit: false,
        until_agents: true,
        needs: both(&[("VM.Console", "/vms")]),
    },
    Feature {
        name: "vm_exec",
        label: "Run commands in VMs by their guest agent",
        used: true,
        audit: false,
        until_agents: true,
        needs: [&[("VM.Monitor", "/vms")], &[("VM.GuestAgent.Unrestricted", "/vms")]],
    },
    Feature {
        name: "power",
        label: "Let the console of a container show a shell, and restart the container for that",
        used: true,
        audit: false,
        until_agents: true,
        needs: both(&[("VM.PowerMgmt", "/vms"), ("VM.Config.Options", "/vms")]),
    },
    Feature {
        name: "snapshots",
        label: "Take a snapshot before an update, and go back to it",
        used: false,
        audit: false,
        until_agents: false,
        needs: both(&[("VM.Snapshot", "/vms"), ("VM.Snapshot.Rollback", "/vms")]),
    },
    Feature {
        name: "backup",
        label: "Take a backup before an update",
        used: false,
        audit: false,
        until_agents: false,
        needs: both(&[("VM.Backup", "/vms"), ("Datastore.AllocateSpace", "/storage")]),
    },
];

/// Rights that only look and do no harm, though no feature takes them: those of PVE's own role `PVEAuditor`.
const HARMLESS: &[&str] = &["Datastore.Audit", "SDN.Audit", "Mapping.Audit", "Pool.Audit"];

impl Permissions {
    /// Whether `privilege` holds at `path`: by the entry of the path itself, else by the nearest one above. (A deeper
    /// entry replaces the ones above it.)
    pub fn allows(&self, privilege: &str, path: &str) -> bool {
        std::iter::once(path)
            .chain(ancestors(path))
            .find_map(|path| self.0.get(path))
            .is_some_and(|entry| entry.contains(privilege))
    }

    /// Whether `privilege` holds anywhere at all.
    pub fn allows_anywhere(&self, privilege: &str) -> bool {
        self.0.values().any(|entry| entry.contains(privilege))
    }

    /// All privileges that hold somewhere.
    fn all(&self) -> BTreeSet<&str> {
        self.0.values().flatten().map(String::as_str).collect()
    }
}

impl Major {
    /// The major of a release like `8.4` or `9.1`; the newest known one when it cannot be read.
    pub fn of(release: &str) -> Major {
        match release.split('.').next().and_then(|major| major.parse::<u32>().ok()) {
            Some(major) if major <= 8 => Major::Eight,
            _ => Major::Nine,
        }
    }
}

impl Major {
    /// The right to run commands by the guest agent of a VM.
    pub const fn guest_agent_right(self) -> &'static str {
        match self {
            Major::Eight => "VM.Monitor",
            Major::Nine => "VM.GuestAgent.Unrestricted",
        }
    }
}

impl GuestRights {
    /// Everything.
    pub const ALL: GuestRights = GuestRights {
        console: true,
        guest_agent: true,
        options: true,
        power: true,
    };

    /// What these permissions allow with the guest of that number.
    pub fn of(permissions: &Permissions, major: Major, vmid: i64) -> GuestRights {
        let path = format!("/vms/{vmid}");
        let allows = |right| permissions.allows(right, &path);
        GuestRights {
            console: allows("VM.Console"),
            guest_agent: allows(major.guest_agent_right()),
            options: allows("VM.Config.Options"),
            power: allows("VM.PowerMgmt"),
        }
    }
}

impl Feature {
    /// The rights it takes, and where.
    pub fn needs(&self, major: Major) -> &'static [Need] {
        match major {
            Major::Eight => self.needs[0],
            Major::Nine => self.needs[1],
        }
    }
}

/// What the token allows, feature by feature.
pub fn report(permissions: &Permissions, major: Major) -> Vec<FeatureReport> {
    FEATURES
        .iter()
        .map(|feature| FeatureReport {
            feature,
            rights: feature.needs(major).iter().map(|(right, _)| *right).collect(),
            missing: missing(permissions, feature.needs(major)),
        })
        .collect()
}

/// Rights the token has and this version of Muster has no use for.
pub fn excess(permissions: &Permissions, major: Major) -> Vec<String> {
    let used: BTreeSet<&str> = privileges(major, |feature| feature.used).collect();
    permissions
        .all()
        .into_iter()
        .filter(|right| !used.contains(right) && !HARMLESS.contains(right))
        .map(str::to_owned)
        .collect()
}

/// Lines for the PVE shell that make a user and a token that can only look.
pub fn create_audit_token(major: Major, user: &str, token: &str) -> String {
    let mut lines = vec![add_role(major, AUDIT_ROLE, |feature| feature.used && feature.audit)];
    lines.extend(create_token(user, token));
    lines.extend(grant(AUDIT_ROLE, user, token));
    lines.join("\n")
}

/// Lines for the PVE shell that make a user and a token with all rights this version of Muster uses.
pub fn create_full_token(major: Major, user: &str, token: &str) -> String {
    let mut lines = vec![add_role(major, FULL_ROLE, |feature| feature.used)];
    lines.extend(create_token(user, token));
    lines.extend(grant(FULL_ROLE, user, token));
    lines.join("\n")
}

/// The rights that only bring agents in, as far as the token has them. From the day they are taken away on, a stolen server
/// runs nothing in guests whose agents refuse free text.
pub fn needless_with_agents(permissions: &Permissions, major: Major) -> Vec<&'static str> {
    let kept: BTreeSet<&str> = privileges(major, |feature| feature.used && !feature.until_agents).collect();
    privileges(major, |feature| feature.used && feature.until_agents)
        .filter(|right| permissions.allows_anywhere(right) && !kept.contains(right))
        .collect()
}

/// The line for the PVE shell that leaves Muster's role the rights it needs beside running agents.
pub fn reduce_role(major: Major) -> String {
    let privileges: BTreeSet<&str> = privileges(major, |feature| feature.used && !feature.until_agents).collect();
    let listed = privileges.into_iter().collect::<Vec<_>>().join(" ");
    format!("pveum role modify {FULL_ROLE} --privs \"{listed}\"")
}

/// Lines for the PVE shell that give an existing token (`user@realm!name`) all rights this version of Muster uses.
pub fn grant_full(major: Major, token_id: &str) -> String {
    let (user, token) = token_id.split_once('!').unwrap_or((token_id, "main"));
    let mut lines = vec![add_role(major, FULL_ROLE, |feature| feature.used)];
    lines.extend(grant(FULL_ROLE, user, token));
    lines.join("\n")
}

/// Needs that are the same on every PVE.
const fn both(needs: &'static [Need]) -> [&'static [Need]; 2] {
    [needs, needs]
}

const AUDIT_ROLE: &str = "MusterAudit";
const FULL_ROLE: &str = "Muster";

fn missing(permissions: &Permissions, needs: &[Need]) -> Vec<MissingRight> {
    needs
        .iter()
        .filter(|(right, path)| !permissions.allows(right, path))
        .map(|&(right, path)| MissingRight { right, path })
        .collect()
}

fn privileges(major: Major, wanted: impl Fn(&Feature) -> bool) -> impl Iterator<Item = &'static str> {
    FEATURES
        .iter()
        .filter(move |feature| wanted(feature))
        .flat_map(move |feature| feature.needs(major))
        .map(|(right, _)| *right)
}

fn add_role(major: Major, role: &str, wanted: impl Fn(&Feature) -> bool) -> String {
    let privileges: BTreeSet<&str> = privileges(major, wanted).collect();
    let listed = privileges.into_iter().collect::<Vec<_>>().join(" ");
    format!("pveum role add {role} --privs \"{listed}\"")
}

fn create_token(user: &str, token: &str) -> [String; 2] {
    [
        format!("pveum user add {user} --comment \"Muster\""),
        format!("pveum user token add {user} {token} --privsep 1"),
    ]
}

/// A token with separate privileges has what both it and its user have, so both get the role. `root@pam` has everything.
fn grant(role: &str, user: &str, token: &str) -> Vec<String> {
    let mut lines = Vec::new();
    if user != "root@pam" {
        lines.push(format!("pveum acl modify / --users {user} --roles {role}"));
    }
    lines.push(format!("pveum acl modify / --tokens '{user}!{token}' --roles {role}"));
    lines
}

/// The paths above `path`, nearest first.
fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    let mut rest = path;
    std::iter::from_fn(move || {
        if rest == "/" || rest.is_empty() {
            return None;
        }
        rest = match rest.rfind('/') {
            Some(0) | None => "/",
            Some(at) => &rest[..at],
        };
        Some(rest)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn permissions(entries: &[(&str, &[&str])]) -> Permissions {
        Permissions(
            entries
                .iter()
                .map(|(path, rights)| {
                    (
                        (*path).to_owned(),
                        rights.iter().map(|right| (*right).to_owned()).collect(),
                    )
                })
                .collect(),
        )
    }

    #[test]
    fn a_deeper_entry_replaces_the_ones_above() {
        let granted = permissions(&[("/", &["VM.Audit", "Sys.Audit"]), ("/vms/100", &["VM.Console"])]);
        assert!(granted.allows("VM.Audit", "/vms"));
        assert!(granted.allows("VM.Audit", "/vms/101"));
        assert!(!granted.allows("VM.Audit", "/vms/100"));
        assert!(granted.allows("VM.Console", "/vms/100"));
        assert!(granted.allows("Sys.Audit", "/"));
        assert!(!Permissions::default().allows("Sys.Audit", "/"));
    }

    #[test]
    fn an_auditor_can_discover_and_the_report_names_what_else_is_missing() {
        let granted = permissions(&[("/", &["VM.Audit", "Sys.Audit", "Datastore.Audit"])]);
        let report = report(&granted, Major::Nine);
        let missing = |name: &str| {
            let found = report.iter().find(|line| line.feature.name == name).expect("a feature");
            found.missing.iter().map(|m| (m.right, m.path)).collect::<Vec<_>>()
        };
        assert_eq!(missing("discover"), []);
        assert_eq!(missing("node_updates"), [("Sys.Modify", "/nodes")]);
        assert_eq!(missing("vm_addresses"), [("VM.GuestAgent.Audit", "/vms")]);
        assert_eq!(excess(&granted, Major::Nine), Vec::<String>::new());
    }

    #[test]
    fn rights_without_a_use_are_named() {
        let granted = permissions(&[("/", &["VM.Audit", "VM.Allocate", "VM.Snapshot"])]);
        assert_eq!(excess(&granted, Major::Nine), ["VM.Allocate", "VM.Snapshot"]);
    }

    #[test]
    fn lines_differ_between_the_majors() {
        assert_eq!(
            create_audit_token(Major::Nine, "muster@pve", "audit"),
            "pveum role add MusterAudit --privs \"Datastore.Audit Pool.Audit Sys.Audit VM.Audit VM.GuestAgent.Audit\"\n\
             pveum user add muster@pve --comment \"Muster\"\n\
             pveum user token add muster@pve audit --privsep 1\n\
             pveum acl modify / --users muster@pve --roles MusterAudit\n\
             pveum acl modify / --tokens 'muster@pve!audit' --roles MusterAudit"
        );
        let eight = create_full_token(Major::Eight, "muster@pve", "main");
        assert!(eight.contains("VM.Monitor") && !eight.contains("GuestAgent"), "{eight}");
        assert_eq!(
            grant_full(Major::Nine, "root@pam!muster").lines().last(),
            Some("pveum acl modify / --tokens 'root@pam!muster' --roles Muster")
        );
        assert!(!grant_full(Major::Nine, "root@pam!muster").contains("--users"));
    }

    #[test]
    fn once_agents_run_the_rights_that_brought_them_in_can_go() {
        let granted = permissions(&[(
            "/",
            &["VM.Audit", "VM.Console", "VM.PowerMgmt", "VM.GuestAgent.Unrestricted"],
        )]);
        assert_eq!(
            needless_with_agents(&granted, Major::Nine),
            ["VM.Console", "VM.GuestAgent.Unrestricted", "VM.PowerMgmt"]
        );
        let line = reduce_role(Major::Nine);
        assert!(
            line.starts_with("pveum role modify Muster ") && line.contains("VM.Audit"),
            "{line}"
        );
        assert!(!line.contains("VM.Console") && !line.contains("Unrestricted"), "{line}");
        // On PVE 8 the right that shows addresses of VMs is the one that runs commands in them.
        let monitor = permissions(&[("/", &["VM.Monitor"])]);
        assert_eq!(needless_with_agents(&monitor, Major::Eight), Vec::<&str>::new());
    }

    #[test]
    fn majors_are_read_from_releases() {
        assert_eq!(Major::of("8.4"), Major::Eight);
        assert_eq!(Major::of("9.1"), Major::Nine);
        assert_eq!(Major::of("10.0"), Major::Nine);
        assert_eq!(Major::of("?"), Major::Nine);
    }

    proptest! {
        #[test]
        fn the_rights_of_the_lines_are_never_missing_and_never_excess(nine in any::<bool>()) {
            let major = if nine { Major::Nine } else { Major::Eight };
            let line = add_role(major, FULL_ROLE, |feature| feature.used);
            let listed = line.split('"').nth(1).expect("quoted").split(' ');
            let granted = Permissions(BTreeMap::from([(
                "/".to_owned(),
                listed.map(str::to_owned).collect(),
            )]));
            for line in report(&granted, major) {
                prop_assert!(!line.feature.used || line.missing.is_empty(), "{:?}", line);
            }
            prop_assert_eq!(excess(&granted, major), Vec::<String>::new());
        }
    }
}
