//! Reads apt's answers. The list of updates is what `apt-get -s dist-upgrade` would do plus what it keeps back, and the
//! counts in its summary line must agree with it: an output that is understood only in part is an error.

use std::collections::{BTreeMap, BTreeSet};

use super::answer::{RefreshTrouble, done, tail};
use super::policy::{Offers, Sources};
use super::{AvailableUpdate, Manager, PackageVersion, ScanError, ScanReport, restarts};
use crate::frame::{Frame, Section};

const SIMULATE: &str = "apt-get -s dist-upgrade";

/// Builds the report from the sections of an apt system.
pub(super) fn report(frame: &Frame) -> Result<ScanReport, ScanError> {
    let refresh_error = refresh_error(frame.section("refresh")?)?;
    let simulation = Simulation::parse(done(frame, "simulate", SIMULATE, &[0])?)?;
    let sources = Sources::parse(done(frame, "sources", "apt-cache policy", &[0])?);
    if let Some(said) = &refresh_error
        && !sources.has_lists()
    {
        return Err(ScanError::NoLists { said: said.clone() });
    }
    let updates = if simulation.is_empty() {
        Vec::new()
    } else {
        updates(frame, &sources, &simulation)?
    };
    Ok(ScanReport {
        manager: Manager::Apt,
        updates,
        refreshed: refresh_error.is_none(),
        refresh_trouble: refresh_error.as_deref().map(RefreshTrouble::of),
        refresh_error,
        reboot_required: restarts::reboot_required(frame)?,
        interrupted: interrupted(done(frame, "unfinished", "dpkg-query -W", &[0])?),
        installs: simulation.installs,
        removes: simulation.removes,
        restarts: restarts::services(frame)?,
    })
}

fn updates(frame: &Frame, sources: &Sources<'_>, simulation: &Simulation) -> Result<Vec<AvailableUpdate>, ScanError> {
    let archs = archs(done(frame, "archs", "dpkg-query -W", &[0])?);
    let offers = Offers::parse(done(frame, "versions", "apt-cache policy", &[0])?);
    let held: BTreeSet<&str> = done(frame, "held", "apt-mark showhold", &[0])?
        .lines()
        .map(bare)
        .collect();
    let sizes = frame
        .optional("files")
        .map(|section| sizes(&section.body))
        .unwrap_or_default();

    let mut updates = Vec::new();
    for (name, step) in simulation.steps() {
        let offer = offers.get(name).ok_or_else(|| unknown(name, "apt-cache policy"))?;
        let waits = *step == Step::Waits;
        let held = held.contains(bare(name));
        let phased = if waits && !held { offer.phased() } else { None };
        let word = offer.security(sources);
        let (to, arch) = match step {
            Step::Upgrade { to, arch } => (to.as_str(), arch.as_str()),
            Step::Waits => (
                offer.candidate(),
                *archs.get(bare(name)).ok_or_else(|| unknown(name, "dpkg-query -W"))?,
            ),
        };
        updates.push(AvailableUpdate {
            source: Manager::Apt,
            name: bare(name).to_owned(),
            arch: arch.to_owned(),
            from: Some(offer.installed().to_owned()),
            to: to.to_owned(),
            origin: offer.origin(sources, to),
            security: Some(word.is_some()),
            evidence: word,
            severity: None,
            fixes: Vec::new(),
            held,
            phased,
            kept_back: waits && !held && phased.is_none(),
            size: sizes
                .get(&(bare(name).to_owned(), to.to_owned(), arch.to_owned()))
                .copied(),
            installed_size: None,
        });
    }
    updates.sort_by(|a, b| (&a.name, &a.arch).cmp(&(&b.name, &b.arch)));
    Ok(updates)
}

/// What one package does in a simulated upgrade.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// It goes to that version.
    Upgrade { to: String, arch: String },
    /// Something newer exists, and it stays as it is.
    Waits,
}

/// A simulated upgrade: packages by the name apt calls them, `name` or `name:arch`.
#[derive(Debug, Default)]
struct Simulation {
    steps: BTreeMap<String, Step>,
    installs: Vec<PackageVersion>,
    removes: Vec<PackageVersion>,
}

impl Simulation {
    fn parse(body: &str) -> Result<Self, ScanError> {
        let mut simulation = Self::default();
        let mut counts = None;
        let mut waiting = false;
        for line in body.lines() {
            if let Some(names) = line.strip_prefix("  ") {
                if waiting {
                    simulation.wait(names);
                }
                continue;
            }
            waiting = line.ends_with(" kept back:") || line.ends_with(" due to phasing:");
            if let Some(step) = line.strip_prefix("Inst ") {
                simulation.upgrade(step).ok_or_else(|| garbage(line))?;
            } else if let Some(step) = line.strip_prefix("Remv ") {
                simulation.remove(step).ok_or_else(|| garbage(line))?;
            } else if line.ends_with(" not upgraded.") {
                counts = Some(Counts::parse(line).ok_or_else(|| garbage(line))?);
            }
        }
        simulation.agrees_with(counts.ok_or_else(|| garbage("there is no line with the counts"))?)
    }

    fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    fn steps(&self) -> impl Iterator<Item = (&str, &Step)> {
        self.steps.iter().map(|(name, step)| (name.as_str(), step))
    }

    fn wait(&mut self, names: &str) {
        self.steps.extend(
            names
                .split_ascii_whitespace()
                .map(|name| (name.to_owned(), Step::Waits)),
        );
    }

    /// Reads `NAME [INSTALLED] (VERSION ORIGIN, ORIGIN [ARCH])` and what may follow. A line without an installed version is
    /// a new package that an upgrade brings along; it is no update.
    fn upgrade(&mut self, step: &str) -> Option<()> {
        let (name, rest) = step.split_once(' ')?;
        if let Some(inside) = rest.strip_prefix('(') {
            self.installs.push(PackageVersion {
                name: bare(name).to_owned(),
                version: inside.split_once(' ')?.0.to_owned(),
            });
            return Some(());
        }
        let (_, rest) = rest.strip_prefix('[')?.split_once("] (")?;
        let (inside, _) = rest.rsplit_once(')')?;
        let (to, _) = inside.split_once(' ')?;
        let (_, arch) = inside.strip_suffix(']')?.rsplit_once('[')?;
        self.steps.insert(
            name.to_owned(),
            Step::Upgrade {
                to: to.to_owned(),
                arch: arch.to_owned(),
            },
        );
        Some(())
    }

    /// Reads `NAME [INSTALLED]` and what may follow.
    fn remove(&mut self, step: &str) -> Option<()> {
        let (name, rest) = step.split_once(" [")?;
        self.removes.push(PackageVersion {
            name: bare(name).to_owned(),
            version: rest.split_once(']')?.0.to_owned(),
        });
        Some(())
    }

    fn agrees_with(self, counts: Counts) -> Result<Self, ScanError> {
        let waiting = self.steps.values().filter(|step| **step == Step::Waits).count();
        let found = Counts {
            changed: self.steps.len() - waiting,
            waiting,
        };
        if found == counts {
            Ok(self)
        } else {
            Err(garbage(&format!("{counts:?} announced, {found:?} listed")))
        }
    }
}

/// What apt's summary line says.
#[derive(Debug, PartialEq, Eq)]
struct Counts {
    changed: usize,
    waiting: usize,
}

impl Counts {
    /// Reads `5 upgraded, 1 newly installed, 0 to remove and 2 not upgraded.`, where `1 reinstalled, 1 downgraded, ` may
    /// stand before the removals.
    fn parse(line: &str) -> Option<Self> {
        let (changes, waiting) = line.strip_suffix(" not upgraded.")?.rsplit_once(" and ")?;
        let mut changed = 0;
        for change in changes.split(", ") {
            let (count, what) = change.split_once(' ')?;
            if matches!(what, "upgraded" | "downgraded" | "reinstalled") {
                changed += count.parse::<usize>().ok()?;
            }
        }
        Some(Self {
            changed,
            waiting: waiting.parse().ok()?,
        })
    }
}

/// Architecture of installed packages, by name.
fn archs(body: &str) -> BTreeMap<&str, &str> {
    body.lines().filter_map(|line| line.split_once('\t')).collect()
}

/// What went wrong with the package lists. `apt-get update` succeeds even when a mirror is dead and only warns.
fn refresh_error(section: &Section) -> Result<Option<String>, ScanError> {
    let said = complaints(&section.body);
    if said.contains("Could not get lock") || said.contains("Unable to lock") {
        return Err(ScanError::Locked { said: tail(&said) });
    }
    if section.exit == 124 {
        return Ok(Some("'apt-get update' did not end in time".to_owned()));
    }
    let dead = said
        .lines()
        .any(|line| line.starts_with("E: ") || line.starts_with("W: Failed to fetch"));
    if section.exit != 0 || dead {
        let said = if said.is_empty() {
            format!("'apt-get update' failed with exit code {}", section.exit)
        } else {
            said
        };
        return Ok(Some(tail(&said)));
    }
    Ok(None)
}

/// What an earlier transaction left behind, from lines like `iF  NAME`: the second letter is the package's state.
fn interrupted(body: &str) -> Option<String> {
    let packages: Vec<String> = body.lines().filter_map(unfinished).collect();
    (!packages.is_empty()).then(|| tail(&format!("an earlier transaction did not end: {}", packages.join(", "))))
}

fn unfinished(line: &str) -> Option<String> {
    let (abbreviation, name) = line.rsplit_once(' ')?;
    let state = match abbreviation.chars().nth(1)? {
        'H' => "half-installed",
        'U' => "unpacked",
        'F' => "half-configured",
        'W' | 't' => "waits for triggers",
        _ => "must be reinstalled",
    };
    Some(format!("{name} ({state})"))
}

/// Bytes to download by name, version and architecture, from `'URL' NAME_VERSION_ARCH.deb BYTES HASH`.
fn sizes(body: &str) -> BTreeMap<(String, String, String), u64> {
    body.lines().filter_map(size).collect()
}

fn size(line: &str) -> Option<((String, String, String), u64)> {
    let mut words = line.strip_prefix('\'')?.split_once("' ")?.1.split(' ');
    let file = words.next()?.strip_suffix(".deb")?;
    let bytes = words.next()?.parse().ok()?;
    let mut parts = file.splitn(3, '_');
    let (name, version, arch) = (parts.next()?, parts.next()?, parts.next()?);
    Some(((name.to_owned(), version.replace("%3a", ":"), arch.to_owned()), bytes))
}

/// The errors and warnings among apt's lines; all of them when it gave none.
fn complaints(body: &str) -> String {
    let complaints: Vec<&str> = body
        .lines()
        .filter(|line| line.starts_with("E: ") || line.starts_with("W: "))
        .collect();
    if complaints.is_empty() {
        String::new()
    } else {
        complaints.join("\n")
    }
}

/// The package name without the architecture that apt adds for foreign ones.
fn bare(name: &str) -> &str {
    name.split(':').next().unwrap_or(name)
}

fn garbage(problem: &str) -> ScanError {
    ScanError::Garbage {
        tool: SIMULATE,
        problem: tail(problem),
    }
}

fn unknown(name: &str, tool: &'static str) -> ScanError {
    ScanError::Garbage {
        tool,
        problem: format!("it does not know '{name}', which apt-get would upgrade"),
    }
}
