//! Reads what `dnf updateinfo` says: which advisories concern which package, how grave they are, and what they fix.

use std::collections::{BTreeMap, BTreeSet};

use super::order;
use crate::scan::Severity;

/// Security advisories.
pub(super) struct Advisories<'a> {
    all: Vec<Advisory<'a>>,
}

/// One security advisory for one version of a package.
#[derive(Debug, Clone)]
pub(super) struct Advisory<'a> {
    pub(super) id: &'a str,
    pub(super) severity: Option<Severity>,
    pub(super) identifiers: Vec<&'a str>,
    name: &'a str,
    version: String,
    arch: &'a str,
}

impl<'a> Advisories<'a> {
    /// Reads the list and the texts of `updateinfo`.
    pub(super) fn parse(list: &'a str, details: &'a str) -> Self {
        let identifiers = by_advisory(details);
        let mut all: Vec<Advisory<'a>> = list.lines().filter_map(advisory).collect();
        for advisory in &mut all {
            advisory.identifiers = identifiers.get(advisory.id).cloned().unwrap_or_default();
        }
        Self { all }
    }

    /// Those that an update of a package from one version to another one brings.
    pub(super) fn between(&self, name: &str, arch: &str, from: Option<&str>, to: &str) -> Vec<&Advisory<'a>> {
        let concerns = |advisory: &&Advisory<'_>| {
            advisory.name == name
                && advisory.arch == arch
                && order(&advisory.version, to).is_le()
                && from.is_none_or(|from| order(&advisory.version, from).is_gt())
        };
        self.all.iter().filter(concerns).collect()
    }
}

/// The advisories' names with their severity, e.g. `FEDORA-2026-1 (important)`.
pub(super) fn evidence(advisories: &[&Advisory<'_>]) -> Option<String> {
    let words: BTreeSet<String> = advisories
        .iter()
        .map(|advisory| match advisory.severity {
            Some(severity) => format!("{} ({})", advisory.id, severity.name()),
            None => advisory.id.to_owned(),
        })
        .collect();
    (!words.is_empty()).then(|| words.into_iter().collect::<Vec<_>>().join(", "))
}

/// What they fix, sorted.
pub(super) fn identifiers(advisories: &[&Advisory<'_>]) -> Vec<String> {
    let all: BTreeSet<&str> = advisories
        .iter()
        .flat_map(|advisory| advisory.identifiers.iter().copied())
        .collect();
    all.into_iter().map(str::to_owned).collect()
}

/// Reads `ID SEVERITY/Sec. PACKAGE` of version 4 or `ID security SEVERITY PACKAGE DATE TIME` of version 5. None for other
/// kinds of advisories.
fn advisory(line: &str) -> Option<Advisory<'_>> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let (id, severity, package) = match words[..] {
        [id, kind, package] => (id, kind.strip_suffix("Sec.")?.trim_end_matches('/'), package),
        [id, "security", severity, package, ..] => (id, severity, package),
        _ => return None,
    };
    let (rest, arch) = package.rsplit_once('.')?;
    let (rest, release) = rest.rsplit_once('-')?;
    let (name, version) = rest.rsplit_once('-')?;
    Some(Advisory {
        id,
        severity: Severity::parse(severity),
        identifiers: Vec::new(),
        name,
        version: format!("{version}-{release}"),
        arch,
    })
}

/// The CVEs in each advisory's text. A record begins with `Update ID:` (version 4) or `Name :` (version 5).
fn by_advisory(details: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut found: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut id = "";
    for line in details.lines() {
        if let Some((key, value)) = line.split_once(':')
            && matches!(key.trim(), "Update ID" | "Name")
        {
            id = value.trim();
        }
        let words = line.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
        for word in words.filter(|word| word.starts_with("CVE-")) {
            let known = found.entry(id).or_default();
            if !known.contains(&word) {
                known.push(word);
            }
        }
    }
    found
}
