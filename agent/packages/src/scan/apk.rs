//! Reads apk's answers. Only the simulated upgrade tells what would happen; the list of what is outdated adds what is
//! pinned, and must name every package that the simulation changes.

mod secdb;

use std::collections::{BTreeMap, BTreeSet};

use super::answer::{RefreshTrouble, done, failed, tail};
use super::{AvailableUpdate, Manager, PackageVersion, ScanError, ScanReport, restarts};
use crate::frame::{Frame, Section};
use secdb::SecurityDatabase;

const SIMULATE: &str = "apk upgrade --simulate";
const LIST: &str = "apk list --upgradable";

/// Builds the report from the sections of an Alpine system.
pub(super) fn report(frame: &Frame) -> Result<ScanReport, ScanError> {
    let refresh_error = refresh_error(frame.section("refresh")?)?;
    let simulation = Simulation::of(frame.section("simulate")?, refresh_error.as_deref())?;
    let outdated = outdated(done(frame, "outdated", LIST, &[0])?)?;
    simulation.agrees_with(&outdated)?;
    let pinned = pinned(done(frame, "world", "cat /etc/apk/world", &[0])?);
    let (policy, security) = match frame.optional("policy") {
        Some(_) => (
            done(frame, "policy", "apk policy", &[0])?,
            frame.section("security")?.body.as_str(),
        ),
        None if outdated.is_empty() => ("", ""),
        None => return Err(garbage(LIST, "there are updates and nothing about them")),
    };
    let (policy, security) = (origins(policy), SecurityDatabase::parse(security));
    let mut updates: Vec<AvailableUpdate> = outdated
        .iter()
        .map(|line| {
            let origin = policy.get(&(line.name, line.to)).cloned().unwrap_or_default();
            let word = security.word(&origin, line.source, line.from, line.to);
            let held = pinned.contains(line.name) && !simulation.changes.contains_key(line.name);
            AvailableUpdate {
                source: Manager::Apk,
                name: line.name.to_owned(),
                arch: line.arch.to_owned(),
                from: Some(line.from.to_owned()),
                to: line.to.to_owned(),
                origin,
                security: word.as_ref().map(|word| !word.fixed_in.is_empty()),
                evidence: word.as_ref().and_then(secdb::Word::evidence),
                severity: None,
                fixes: word.map(|word| word.identifiers).unwrap_or_default(),
                held,
                phased: None,
                kept_back: !held && !simulation.changes.contains_key(line.name),
                size: None,
                installed_size: None,
            }
        })
        .collect();
    updates.sort_by(|a, b| (&a.name, &a.arch).cmp(&(&b.name, &b.arch)));
    Ok(ScanReport {
        manager: Manager::Apk,
        updates,
        refreshed: refresh_error.is_none(),
        refresh_trouble: refresh_error.as_deref().map(RefreshTrouble::of),
        refresh_error,
        reboot_required: restarts::reboot_required(frame)?,
        interrupted: interrupted(done(frame, "unfinished", "sed /lib/apk/db/installed", &[0])?),
        installs: simulation.installs,
        removes: simulation.removes,
        restarts: restarts::services(frame)?,
    })
}

/// A simulated upgrade.
#[derive(Default)]
struct Simulation<'a> {
    /// The version that each changed package gets.
    changes: BTreeMap<&'a str, &'a str>,
    installs: Vec<PackageVersion>,
    removes: Vec<PackageVersion>,
    steps: usize,
}

impl<'a> Simulation<'a> {
    fn of(section: &'a Section, refresh_error: Option<&str>) -> Result<Self, ScanError> {
        let never_fetched = section.body.contains("WARNING: opening from cache");
        if never_fetched && let Some(said) = refresh_error {
            return Err(ScanError::NoLists { said: said.to_owned() });
        }
        let last = section.body.lines().last().unwrap_or_default();
        // A package whose script failed makes apk fail although it knows what to do.
        let ended = last.starts_with("OK: ") || last.contains(" error; ") || last.contains(" errors; ");
        if !ended || section.exit == 99 {
            return Err(failed(SIMULATE, section));
        }
        let mut simulation = Self::default();
        let mut announced = 0;
        for line in section.body.lines().filter(|line| line.starts_with('(')) {
            let (total, step) = numbered(line).ok_or_else(|| garbage(SIMULATE, line))?;
            announced = total;
            simulation.step(step).ok_or_else(|| garbage(SIMULATE, line))?;
        }
        if simulation.steps != announced {
            let problem = format!("{announced} steps announced, {} listed", simulation.steps);
            return Err(garbage(SIMULATE, &problem));
        }
        Ok(simulation)
    }

    /// Reads `Upgrading NAME (OLD -> NEW)`, `Installing NAME (VERSION)` or `Purging NAME (VERSION)`; a name may carry the
    /// tag of its repository.
    fn step(&mut self, step: &'a str) -> Option<()> {
        let (verb, rest) = step.split_once(' ')?;
        let (name, versions) = rest.strip_suffix(')')?.split_once(" (")?;
        let name = name.split('@').next()?;
        let package = |version: &str| PackageVersion {
            name: name.to_owned(),
            version: version.to_owned(),
        };
        match verb {
            "Installing" => self.installs.push(package(versions)),
            "Purging" => self.removes.push(package(versions)),
            _ => {
                let new = versions.split_once(" -> ").map_or(versions, |(_, new)| new);
                self.changes.insert(name, new);
            }
        }
        self.steps += 1;
        Some(())
    }

    fn agrees_with(&self, outdated: &[Outdated<'_>]) -> Result<(), ScanError> {
        for (name, to) in &self.changes {
            if !outdated.iter().any(|line| line.name == *name && line.to == *to) {
                return Err(garbage(
                    LIST,
                    &format!("it does not know {name} {to}, which the upgrade brings"),
                ));
            }
        }
        Ok(())
    }
}

/// Reads `( 1/20) STEP`.
fn numbered(line: &str) -> Option<(usize, &str)> {
    let (number, step) = line.strip_prefix('(')?.split_once(") ")?;
    Some((number.split_once('/')?.1.trim().parse().ok()?, step))
}

struct Outdated<'a> {
    name: &'a str,
    arch: &'a str,
    /// The package it is built from.
    source: &'a str,
    from: &'a str,
    to: &'a str,
}

/// Reads `NAME-NEW ARCH {SOURCE} (LICENCE) [upgradable from: NAME-OLD]` a line.
fn outdated(body: &str) -> Result<Vec<Outdated<'_>>, ScanError> {
    let lines = body.lines().filter(|line| !line.starts_with("WARNING: "));
    lines
        .map(|line| {
            let read = || {
                let (package, rest) = line.split_once(' ')?;
                let (arch, rest) = rest.split_once(" {")?;
                let (source, rest) = rest.split_once('}')?;
                let old = rest.split_once("[upgradable from: ")?.1.strip_suffix(']')?;
                let (name, to) = name_and_version(package)?;
                let from = name_and_version(old)?.1;
                Some(Outdated {
                    name,
                    arch,
                    source,
                    from,
                    to,
                })
            };
            read().ok_or_else(|| garbage(LIST, line))
        })
        .collect()
}

/// Takes `libstdc++-demo-14.2.0-r6` apart.
fn name_and_version(package: &str) -> Option<(&str, &str)> {
    let (rest, _) = package.rsplit_once('-')?;
    let (name, _) = rest.rsplit_once('-')?;
    Some((name, &package[name.len() + 1..]))
}

/// Names that world wants in certain versions.
fn pinned(world: &str) -> BTreeSet<&str> {
    let entries = world.split_ascii_whitespace();
    let pinned = entries.filter_map(|entry| entry.find(['=', '<', '>', '~']).map(|at| &entry[..at]));
    pinned.map(|name| name.split('@').next().unwrap_or(name)).collect()
}

/// Where each version comes from, by name and version. `NAME policy:`, then `  VERSION:`, then the places, those of tagged
/// repositories behind the tag.
fn origins(body: &str) -> BTreeMap<(&str, &str), String> {
    let mut origins: BTreeMap<(&str, &str), String> = BTreeMap::new();
    let (mut name, mut version) = ("", "");
    for line in body.lines() {
        if let Some(place) = line.strip_prefix("    ") {
            let place = place.rsplit(' ').next().unwrap_or(place);
            if place.contains("://") || place.starts_with('/') {
                origins.entry((name, version)).or_insert_with(|| place.to_owned());
            }
        } else if let Some(text) = line.strip_prefix("  ") {
            version = text.trim_end_matches(':');
        } else if let Some(text) = line.strip_suffix(" policy:") {
            name = text;
        }
    }
    origins
}

/// What went wrong with the indexes: apk may warn and succeed all the same.
fn refresh_error(section: &Section) -> Result<Option<String>, ScanError> {
    let said = &section.body;
    let may_not = said.contains("Read-only") || said.contains("Permission denied");
    if said.contains("Unable to lock database") && !may_not {
        return Err(ScanError::Locked { said: tail(said) });
    }
    if section.exit == 124 {
        return Ok(Some("'apk update' did not end in time".to_owned()));
    }
    let complaints: Vec<&str> = said
        .lines()
        .filter(|line| line.starts_with("WARNING: ") || line.starts_with("ERROR: "))
        .collect();
    match (section.exit, complaints.is_empty()) {
        (0, true) => Ok(None),
        (exit, true) => Ok(Some(format!("'apk update' failed with exit code {exit}"))),
        (_, false) => Ok(Some(tail(&complaints.join("\n")))),
    }
}

/// Packages whose scripts failed: a name, and below it what is wrong with it.
fn interrupted(body: &str) -> Option<String> {
    let mut names = Vec::new();
    let mut name = "";
    for line in body.lines() {
        if line.starts_with("  ") {
            names.push(name);
        } else {
            name = line;
        }
    }
    (!names.is_empty()).then(|| tail(&format!("scripts of these packages failed: {}", names.join(", "))))
}

fn garbage(tool: &'static str, problem: &str) -> ScanError {
    ScanError::Garbage {
        tool,
        problem: tail(problem),
    }
}
