//! Reads zypper's answers, which are XML but for the contents of patches.

mod patches;

use std::collections::BTreeSet;

use roxmltree::{Document, Node};

use super::answer::{RefreshTrouble, done, failed, tail};
use super::dnf::Repositories;
use super::{AvailableUpdate, Manager, PackageVersion, ScanError, ScanReport, restarts};
use crate::frame::{Frame, Section};
use patches::Patches;

const LIST: &str = "zypper list-updates --all";
const SIMULATE: &str = "zypper update --dry-run";
/// zypper's word for "some repositories were left out because they could not be refreshed".
const SOME_LEFT_OUT: i32 = 106;

/// Builds the report from the sections of a zypper system.
pub(super) fn report(frame: &Frame) -> Result<ScanReport, ScanError> {
    let refresh_error = refresh_error(frame.section("refresh")?)?;
    let repositories = Repositories::of(&frame.section("repositories")?.body);
    if let Some(said) = &refresh_error
        && repositories.is_empty()
    {
        return Err(ScanError::NoLists { said: said.clone() });
    }
    let list = xml(done(frame, "all", LIST, &[0, SOME_LEFT_OUT])?);
    let list = parse(list, LIST)?;
    let transaction = xml(&frame.section("transaction")?.body);
    let transaction = Transaction::of(frame, &parse(transaction, SIMULATE)?)?;
    let locks = xml(done(frame, "locks", "zypper locks", &[0])?);
    let locks = parse(locks, "zypper locks")?;
    let locked: Vec<&str> = locks
        .descendants()
        .filter(|node| node.has_tag_name("name"))
        .filter_map(|node| node.text())
        .collect();
    let found = xml(done(frame, "patches", "zypper list-patches", &[0, SOME_LEFT_OUT])?);
    let found = parse(found, "zypper list-patches")?;
    let contents = frame.optional("contents").map(|section| section.body.as_str());
    let patches = Patches::parse(&found, contents.unwrap_or_default());

    let mut updates: Vec<AvailableUpdate> = list
        .descendants()
        .filter(|node| node.has_tag_name("update") && node.attribute("kind") == Some("package"))
        .map(|node| {
            let update = update(node)?;
            let held = locked.iter().any(|lock| matches(lock, &update.name));
            let kept_back = !held && !transaction.takes(&update.name, &update.to);
            Some(AvailableUpdate {
                held,
                kept_back,
                ..update
            })
        })
        .collect::<Option<_>>()
        .ok_or_else(|| garbage(LIST, "an update without name or version"))?;
    transaction.add_missing(&mut updates);
    for update in &mut updates {
        patches.describe(update, repositories.tells(&update.origin));
    }
    updates.sort_by(|a, b| (&a.name, &a.arch).cmp(&(&b.name, &b.arch)));
    Ok(ScanReport {
        manager: Manager::Zypper,
        updates,
        refreshed: refresh_error.is_none(),
        refresh_trouble: refresh_error.as_deref().map(RefreshTrouble::of),
        refresh_error,
        reboot_required: restarts::reboot_required(frame)?,
        interrupted: None,
        installs: transaction.installs,
        removes: transaction.removes,
        restarts: restarts::services(frame)?,
    })
}

fn update(node: Node<'_, '_>) -> Option<AvailableUpdate> {
    let source = node.children().find(|child| child.has_tag_name("source"));
    let origin = source.and_then(|source| source.attribute("alias"));
    Some(plain(
        node.attribute("name")?,
        node.attribute("arch").unwrap_or_default(),
        node.attribute("edition-old"),
        node.attribute("edition")?,
        origin.unwrap_or_default(),
    ))
}

fn plain(name: &str, arch: &str, from: Option<&str>, to: &str, origin: &str) -> AvailableUpdate {
    AvailableUpdate {
        source: Manager::Zypper,
        name: name.to_owned(),
        arch: arch.to_owned(),
        from: from.map(str::to_owned),
        to: to.to_owned(),
        origin: origin.to_owned(),
        security: None,
        evidence: None,
        severity: None,
        fixes: Vec::new(),
        held: false,
        phased: None,
        kept_back: false,
        size: None,
        installed_size: None,
    }
}

/// A simulated upgrade.
struct Transaction {
    changes: Vec<AvailableUpdate>,
    taken: BTreeSet<(String, String)>,
    installs: Vec<PackageVersion>,
    removes: Vec<PackageVersion>,
}

impl Transaction {
    fn of(frame: &Frame, document: &Document<'_>) -> Result<Self, ScanError> {
        let summary = document.descendants().find(|node| node.has_tag_name("install-summary"));
        let Some(summary) = summary else {
            // Nothing to do has no summary; a conflict has none either, and another exit code.
            let nothing = Self {
                changes: Vec::new(),
                taken: BTreeSet::new(),
                installs: Vec::new(),
                removes: Vec::new(),
            };
            done(frame, "transaction", SIMULATE, &[0, 4, SOME_LEFT_OUT])?;
            return Ok(nothing);
        };
        let of = |tags: &[&str]| -> Vec<Node<'_, '_>> {
            let solvables = summary.descendants().filter(|node| {
                let parent = node.parent_element();
                node.has_tag_name("solvable")
                    && node.attribute("type") == Some("package")
                    && parent.is_some_and(|parent| tags.contains(&parent.tag_name().name()))
            });
            solvables.collect()
        };
        let version = |node: &Node<'_, '_>| {
            Some(PackageVersion {
                name: node.attribute("name")?.to_owned(),
                version: node.attribute("edition")?.to_owned(),
            })
        };
        let changes: Vec<AvailableUpdate> = of(&["to-upgrade", "to-upgrade-change-arch", "to-downgrade"])
            .into_iter()
            .filter_map(|node| {
                let repository = node.attribute("repository").unwrap_or_default();
                let (name, arch) = (node.attribute("name")?, node.attribute("arch").unwrap_or_default());
                Some(plain(
                    name,
                    arch,
                    node.attribute("edition-old"),
                    node.attribute("edition")?,
                    repository,
                ))
            })
            .collect();
        let taken = of(&["to-upgrade", "to-upgrade-change-arch", "to-downgrade", "to-install"]);
        Ok(Self {
            changes,
            taken: taken
                .iter()
                .filter_map(version)
                .map(|package| (package.name, package.version))
                .collect(),
            installs: of(&["to-install"]).iter().filter_map(version).collect(),
            removes: of(&["to-remove"]).iter().filter_map(version).collect(),
        })
    }

    fn takes(&self, name: &str, version: &str) -> bool {
        self.taken.contains(&(name.to_owned(), version.to_owned()))
    }

    /// A rolling release changes packages that the list does not know as updates.
    fn add_missing(&self, updates: &mut Vec<AvailableUpdate>) {
        for change in &self.changes {
            let known = updates
                .iter()
                .any(|update| update.name == change.name && update.arch == change.arch);
            if !known {
                updates.push(change.clone());
            }
        }
    }
}

/// Whether a lock, which may hold `*` and `?`, is on this package.
fn matches(lock: &str, name: &str) -> bool {
    fn at(lock: &[u8], name: &[u8]) -> bool {
        match (lock.first(), name.first()) {
            (None, None) => true,
            (Some(b'*'), _) => at(&lock[1..], name) || (!name.is_empty() && at(lock, &name[1..])),
            (Some(b'?'), Some(_)) => at(&lock[1..], &name[1..]),
            (Some(one), Some(other)) if one == other => at(&lock[1..], &name[1..]),
            _ => false,
        }
    }
    at(lock.as_bytes(), name.as_bytes())
}

fn refresh_error(section: &Section) -> Result<Option<String>, ScanError> {
    match section.exit {
        0 => Ok(None),
        7 => Err(ScanError::Locked {
            said: tail(&section.body),
        }),
        124 => Ok(Some("'zypper refresh' did not end in time".to_owned())),
        _ => match failed("zypper refresh", section) {
            ScanError::Tool { exit, said, .. } if said.is_empty() => {
                Ok(Some(format!("'zypper refresh' failed with exit code {exit}")))
            }
            ScanError::Tool { said, .. } => Ok(Some(said)),
            other => Err(other),
        },
    }
}

/// The document alone: other lines of the tool may stand around it.
fn xml(body: &str) -> &str {
    let start = body.find("<?xml").unwrap_or(0);
    let end = body.rfind("</stream>").map_or(body.len(), |at| at + "</stream>".len());
    body.get(start..end).unwrap_or(body)
}

fn parse<'a>(text: &'a str, tool: &'static str) -> Result<Document<'a>, ScanError> {
    Document::parse(text).map_err(|error| garbage(tool, &error.to_string()))
}

fn garbage(tool: &'static str, problem: &str) -> ScanError {
    ScanError::Garbage {
        tool,
        problem: tail(problem),
    }
}
