//! Needed patches of SUSE: how grave they are, what they fix, and which versions of which packages they bring.

use std::collections::BTreeMap;

use roxmltree::Document;

use crate::scan::{AvailableUpdate, Severity};
use crate::{Manager, version};

pub(super) struct Patches<'a> {
    security: BTreeMap<&'a str, Patch<'a>>,
}

struct Patch<'a> {
    severity: Option<Severity>,
    identifiers: Vec<&'a str>,
    /// Name, the first version that is fixed.
    packages: Vec<(&'a str, &'a str)>,
}

impl<'a> Patches<'a> {
    /// Reads the list of needed patches and the texts of `zypper info -t patch`.
    pub(super) fn parse(list: &'a Document<'_>, contents: &'a str) -> Self {
        let mut packages = contents_of(contents);
        let security = list
            .descendants()
            .filter(|node| node.has_tag_name("update") && node.attribute("category") == Some("security"))
            .filter_map(|node| {
                let name = node.attribute("name")?;
                let issues = node.descendants().filter(|issue| issue.has_tag_name("issue"));
                let cves = issues.filter(|issue| issue.attribute("type") == Some("cve"));
                let patch = Patch {
                    severity: node.attribute("severity").and_then(Severity::parse),
                    identifiers: cves.filter_map(|issue| issue.attribute("id")).collect(),
                    packages: packages.remove(name).unwrap_or_default(),
                };
                Some((name, patch))
            });
        Self {
            security: security.collect(),
        }
    }

    /// Writes what is known of an update's security. `told` says that its repository has patches at all.
    pub(super) fn describe(&self, update: &mut AvailableUpdate, told: bool) {
        let concerns = |patch: &Patch<'_>| {
            patch.packages.iter().any(|(name, fixed)| {
                let order = |other: &str| version::compare(Manager::Zypper, fixed, other);
                *name == update.name
                    && order(&update.to).is_le()
                    && update.from.as_deref().is_none_or(|from| order(from).is_gt())
            })
        };
        let found: Vec<(&&str, &Patch<'_>)> = self.security.iter().filter(|(_, patch)| concerns(patch)).collect();
        update.security = if found.is_empty() {
            told.then_some(false)
        } else {
            Some(true)
        };
        update.severity = found.iter().filter_map(|(_, patch)| patch.severity).max();
        update.fixes = found
            .iter()
            .flat_map(|(_, patch)| patch.identifiers.iter().map(|id| (*id).to_owned()))
            .collect();
        update.fixes.sort();
        update.fixes.dedup();
        let words: Vec<String> = found
            .iter()
            .map(|(name, patch)| match patch.severity {
                Some(severity) => format!("{name} ({})", severity.name()),
                None => (**name).to_owned(),
            })
            .collect();
        update.evidence = (!words.is_empty()).then(|| words.join(", "));
    }
}

/// The packages of each patch. A patch conflicts with what it replaces: `Conflicts : NAME < VERSION` or, with several,
/// `Conflicts : [2]` and one a line below; a name may carry its architecture.
fn contents_of(text: &str) -> BTreeMap<&str, Vec<(&str, &str)>> {
    let mut packages: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
    let (mut patch, mut conflicts) = ("", false);
    for line in text.lines() {
        let mut rest = line;
        if !line.starts_with(' ')
            && let Some((key, value)) = line.split_once(" : ")
        {
            match key.trim() {
                "Name" => patch = value.trim(),
                key => conflicts = key == "Conflicts",
            }
            rest = value;
        }
        if conflicts && let Some((name, version)) = rest.split_once(" < ") {
            let name = name.trim();
            let bare = name
                .rsplit_once('.')
                .filter(|(_, arch)| is_arch(arch))
                .map_or(name, |(name, _)| name);
            let known = packages.entry(patch).or_default();
            if !known.contains(&(bare, version.trim())) {
                known.push((bare, version.trim()));
            }
        }
    }
    packages
}

fn is_arch(word: &str) -> bool {
    matches!(
        word,
        "noarch"
            | "x86_64"
            | "i586"
            | "i686"
            | "aarch64"
            | "armv7hl"
            | "armv6hl"
            | "ppc64le"
            | "s390x"
            | "riscv64"
            | "src"
    )
}
