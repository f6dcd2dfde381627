//! Reads pacman's answers. Arch says nothing about security in its package lists, so that is unknown for every update.

use std::collections::{BTreeMap, BTreeSet};

use super::answer::{RefreshTrouble, done, failed, tail};
use super::{AvailableUpdate, Manager, PackageVersion, ScanError, ScanReport, restarts};
use crate::frame::{Frame, Section};

const LIST: &str = "pacman -Qu";

/// Builds the report from the sections of a pacman system.
pub(super) fn report(frame: &Frame) -> Result<ScanReport, ScanError> {
    let prepare = frame.section("prepare")?;
    if prepare.exit != 0 {
        return Err(match failed("pacman -Sy", prepare) {
            ScanError::Tool { said, .. } if said.ends_with("db.lck exists") => ScanError::Locked { said },
            other => other,
        });
    }
    let refresh_error = refresh_error(frame.section("refresh")?)?;
    if let Some(said) = &refresh_error
        && !frame.section("lists")?.body.contains(".db")
    {
        return Err(ScanError::NoLists { said: said.clone() });
    }
    let outdated = outdated(frame.section("outdated")?)?;
    let transaction = Transaction::of(frame.section("transaction")?)?;
    let (packages, installed) = match frame.optional("packages") {
        Some(_) => (
            packages(done(frame, "packages", "pacman -Si", &[0, 1])?),
            installed(done(frame, "installed", "pacman -Q", &[0])?),
        ),
        None if outdated.is_empty() && transaction.targets.is_empty() => Default::default(),
        None => return Err(garbage("there are updates and nothing about them")),
    };
    let updated: BTreeSet<&str> = outdated.iter().map(|line| line.name).collect();
    let mut updates: Vec<AvailableUpdate> = outdated
        .iter()
        .map(|line| update(line, &transaction, &packages))
        .collect();
    updates.sort_by(|a, b| a.name.cmp(&b.name));
    let new: Vec<&Target<'_>> = transaction
        .targets
        .values()
        .filter(|target| !updated.contains(target.name))
        .collect();
    let removes = new
        .iter()
        .flat_map(|target| {
            packages
                .get(target.name)
                .map(|package| package.replaces.as_slice())
                .unwrap_or_default()
        })
        .filter_map(|name| Some(version(name, installed.get(name)?)))
        .collect();
    Ok(ScanReport {
        manager: Manager::Pacman,
        updates,
        refreshed: refresh_error.is_none(),
        refresh_trouble: refresh_error.as_deref().map(RefreshTrouble::of),
        refresh_error,
        reboot_required: restarts::reboot_required(frame)?,
        interrupted: None,
        installs: new.iter().map(|target| version(target.name, target.version)).collect(),
        removes,
        restarts: restarts::services(frame)?,
    })
}

fn version(name: &str, version: &str) -> PackageVersion {
    PackageVersion {
        name: name.to_owned(),
        version: version.to_owned(),
    }
}

fn update(
    line: &Outdated<'_>,
    transaction: &Transaction<'_>,
    packages: &BTreeMap<&str, Package<'_>>,
) -> AvailableUpdate {
    let target = transaction
        .targets
        .get(line.name)
        .filter(|target| target.version == line.to);
    let package = packages.get(line.name);
    AvailableUpdate {
        source: Manager::Pacman,
        name: line.name.to_owned(),
        arch: package.map(|package| package.arch).unwrap_or_default().to_owned(),
        from: Some(line.from.to_owned()),
        to: line.to.to_owned(),
        origin: package.map(|package| package.repository).unwrap_or_default().to_owned(),
        security: None,
        evidence: None,
        severity: None,
        fixes: Vec::new(),
        held: line.ignored,
        phased: None,
        kept_back: !line.ignored && target.is_none(),
        size: target.and_then(|target| target.size),
        installed_size: package.and_then(|package| package.installed_size),
    }
}

struct Outdated<'a> {
    name: &'a str,
    from: &'a str,
    to: &'a str,
    ignored: bool,
}

/// Reads `NAME OLD -> NEW`, with ` [ignored]` behind it for what the administrator has excluded. Nothing outdated is exit
/// code 1 and no text, and so is a damaged list but for its complaints.
fn outdated(section: &Section) -> Result<Vec<Outdated<'_>>, ScanError> {
    let complains = section.body.lines().any(|line| line.starts_with("error: "));
    if complains || (section.exit != 0 && (section.exit != 1 || section.body.contains(" -> "))) {
        return Err(failed(LIST, section));
    }
    let lines = section
        .body
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with("warning: "));
    lines
        .map(|line| {
            let (rest, ignored) = match line.strip_suffix(" [ignored]") {
                Some(rest) => (rest, true),
                None => (line, false),
            };
            let words: Vec<&str> = rest.split(' ').collect();
            match words[..] {
                [name, from, "->", to] => Ok(Outdated {
                    name,
                    from,
                    to,
                    ignored,
                }),
                _ => Err(garbage(line)),
            }
        })
        .collect()
}

#[derive(Default)]
struct Transaction<'a> {
    targets: BTreeMap<&'a str, Target<'a>>,
}

struct Target<'a> {
    name: &'a str,
    version: &'a str,
    size: Option<u64>,
}

impl<'a> Transaction<'a> {
    /// Reads `NAME VERSION REPOSITORY SIZE` a line. pacman upgrades everything or nothing: what cannot be prepared keeps
    /// every update back.
    fn of(section: &'a Section) -> Result<Self, ScanError> {
        if section.exit != 0 {
            return match section.body.contains("failed to prepare transaction") {
                true => Ok(Self::default()),
                false => Err(failed("pacman -Su --print", section)),
            };
        }
        let targets = section.body.lines().filter_map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            let [name, version, _, size] = words[..] else {
                return None;
            };
            let target = Target {
                name,
                version,
                // A package that lies in the cache already is not fetched again.
                size: Some(size.parse().ok()?),
            };
            (!name.starts_with(':')).then_some((name, target))
        });
        Ok(Self {
            targets: targets.collect(),
        })
    }
}

#[derive(Default)]
struct Package<'a> {
    repository: &'a str,
    arch: &'a str,
    installed_size: Option<u64>,
    replaces: Vec<&'a str>,
}

/// Reads the records of `pacman -Si`: `Name            : plain`.
fn packages(body: &str) -> BTreeMap<&str, Package<'_>> {
    let mut packages: BTreeMap<&str, Package<'_>> = BTreeMap::new();
    let (mut name, mut repository) = ("", "");
    for line in body.lines() {
        let Some((key, value)) = line.split_once(" : ") else {
            continue;
        };
        let value = value.trim();
        match key.trim() {
            "Repository" => repository = value,
            "Name" => {
                name = value;
                let package = Package {
                    repository,
                    ..Package::default()
                };
                packages.entry(name).or_insert(package);
            }
            key => {
                if let Some(package) = packages.get_mut(name) {
                    match key {
                        "Architecture" => package.arch = value,
                        "Installed Size" => package.installed_size = bytes(value),
                        "Replaces" if value != "None" => package.replaces = value.split_ascii_whitespace().collect(),
                        _ => {}
                    }
                }
            }
        }
    }
    packages
}

/// Reads `1.50 MiB`.
fn bytes(text: &str) -> Option<u64> {
    let (number, unit) = text.split_once(' ')?;
    let number: f64 = number.parse().ok()?;
    let factor = match unit {
        "B" => 1.0,
        "KiB" => 1024.0,
        "MiB" => 1024.0 * 1024.0,
        "GiB" => 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    Some((number * factor).round() as u64)
}

/// Versions by name, from `NAME VERSION` a line.
fn installed(body: &str) -> BTreeMap<&str, &str> {
    body.lines().filter_map(|line| line.split_once(' ')).collect()
}

fn refresh_error(section: &Section) -> Result<Option<String>, ScanError> {
    match section.exit {
        0 => Ok(None),
        124 => Ok(Some("'pacman -Sy' did not end in time".to_owned())),
        _ => match failed("pacman -Sy", section) {
            ScanError::Tool { said, .. } => {
                let complaints: Vec<&str> = said.lines().filter(|line| line.starts_with("error: ")).collect();
                Ok(Some(tail(&complaints.join("\n"))))
            }
            other => Err(other),
        },
    }
}

fn garbage(problem: &str) -> ScanError {
    ScanError::Garbage {
        tool: LIST,
        problem: tail(problem),
    }
}
