//! Reads the table that `dnf --assumeno upgrade` prints. The sums below it must agree with the lines.

use std::collections::BTreeSet;

use super::order;
use crate::frame::Section;
use crate::scan::answer::{failed, tail};
use crate::scan::{PackageVersion, ScanError};

const TOOL: &str = "dnf --assumeno upgrade";

/// A simulated upgrade.
#[derive(Debug, Default)]
pub(super) struct Transaction<'a> {
    lines: Vec<Line<'a>>,
    /// Packages that others replace.
    replaced: Vec<PackageVersion>,
}

#[derive(Debug)]
struct Line<'a> {
    part: Part,
    name: &'a str,
    arch: &'a str,
    version: &'a str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Installs,
    Upgrades,
    Removes,
    Skips,
}

impl<'a> Transaction<'a> {
    pub(super) fn parse(section: &'a Section) -> Result<Self, ScanError> {
        let body = section.body.as_str();
        if body.lines().any(|line| line.trim() == "Nothing to do.") && !body.contains("Transaction Summary") {
            return Ok(Self::default());
        }
        let Some((table, sums)) = body.split_once("Transaction Summary") else {
            return Err(failed(TOOL, section));
        };
        let mut transaction = Self::default();
        transaction.read(table);
        transaction.agrees_with(sums)
    }

    fn read(&mut self, table: &'a str) {
        let mut part = None;
        let mut words: Vec<&'a str> = Vec::new();
        for line in table.lines() {
            if !line.starts_with(' ') {
                part = self::part(line);
                words.clear();
                continue;
            }
            let Some(part) = part else { continue };
            words.extend(line.split_ascii_whitespace());
            if words.first() == Some(&"replacing") {
                self.replaces(&words);
                words.clear();
            }
            // A long name stands on a line of its own.
            if let [name, arch, version, _, ..] = words[..] {
                self.lines.push(Line {
                    part,
                    name,
                    arch,
                    version,
                });
                words.clear();
            }
        }
    }

    /// Reads `replacing NAME.ARCH VERSION` of version 4 or `replacing NAME ARCH VERSION …` of version 5.
    fn replaces(&mut self, words: &[&str]) {
        let package = match words {
            [_, package, version] => package.rsplit_once('.').map(|(name, _)| (name, *version)),
            [_, name, _, version, ..] => Some((*name, *version)),
            _ => None,
        };
        if let Some((name, version)) = package {
            self.replaced.push(PackageVersion {
                name: name.to_owned(),
                version: version.to_owned(),
            });
        }
    }

    fn agrees_with(self, sums: &str) -> Result<Self, ScanError> {
        for part in [Part::Installs, Part::Upgrades, Part::Removes] {
            let announced: usize = sums.lines().filter_map(|line| sum(line, part)).sum();
            let listed = self.lines.iter().filter(|line| line.part == part).count();
            if announced != listed {
                return Err(ScanError::Garbage {
                    tool: TOOL,
                    problem: tail(&format!("{announced} announced, {listed} listed ({part:?})")),
                });
            }
        }
        Ok(self)
    }

    /// Whether the upgrade takes this version.
    pub(super) fn takes(&self, name: &str, arch: &str, version: &str) -> bool {
        self.lines.iter().any(|line| {
            matches!(line.part, Part::Installs | Part::Upgrades)
                && (line.name, line.arch) == (name, arch)
                && order(line.version, version).is_eq()
        })
    }

    /// What comes that is no update of something installed.
    pub(super) fn installs(&self, updated: &BTreeSet<&str>) -> Vec<PackageVersion> {
        self.of(Part::Installs, updated)
    }

    /// What goes.
    pub(super) fn removes(&self, updated: &BTreeSet<&str>) -> Vec<PackageVersion> {
        let mut removes = self.of(Part::Removes, updated);
        let replaced = self
            .replaced
            .iter()
            .filter(|package| !updated.contains(package.name.as_str()));
        removes.extend(replaced.cloned());
        removes.sort();
        removes.dedup();
        removes
    }

    fn of(&self, part: Part, updated: &BTreeSet<&str>) -> Vec<PackageVersion> {
        let lines = self
            .lines
            .iter()
            .filter(|line| line.part == part && !updated.contains(line.name));
        lines
            .map(|line| PackageVersion {
                name: line.name.to_owned(),
                version: line.version.to_owned(),
            })
            .collect()
    }
}

/// What a headline such as `Installing dependencies:` begins.
fn part(headline: &str) -> Option<Part> {
    let headline = headline.strip_suffix(':')?;
    match headline.split(' ').next()? {
        "Installing" => Some(Part::Installs),
        "Upgrading" | "Downgrading" | "Reinstalling" => Some(Part::Upgrades),
        "Removing" => Some(Part::Removes),
        "Skipping" => Some(Part::Skips),
        _ => None,
    }
}

/// The number in `Upgrade  2 Packages` (version 4) or ` Upgrading:  2 packages` (version 5).
fn sum(line: &str, of: Part) -> Option<usize> {
    let mut words = line.split_ascii_whitespace();
    let part = match words.next()?.trim_end_matches(':') {
        "Install" | "Installing" => Part::Installs,
        "Upgrade" | "Upgrading" | "Downgrade" | "Downgrading" | "Reinstall" | "Reinstalling" => Part::Upgrades,
        "Remove" | "Removing" => Part::Removes,
        _ => return None,
    };
    (part == of).then(|| words.next()?.parse().ok())?
}
