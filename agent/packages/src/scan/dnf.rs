//! Reads dnf's answers, those of version 4 and of version 5. The list of updates is what newer versions are offered,
//! excluded ones included; what the simulated transaction does not take is kept back.

mod advisories;
mod transaction;

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::answer::{RefreshTrouble, done, failed, tail};
use super::{AvailableUpdate, Manager, ScanError, ScanReport, restarts};
use crate::frame::{Frame, Section};
use crate::version;
use advisories::Advisories;
use transaction::Transaction;

const QUERY: &str = "dnf repoquery --upgrades";

/// Builds the report from the sections of a dnf system.
pub(super) fn report(frame: &Frame) -> Result<ScanReport, ScanError> {
    let tool = done(frame, "tool", "dnf --version", &[0])?;
    if let Some(version) = tool.lines().nth(1).filter(|line| line.starts_with("3.")) {
        return Err(ScanError::TooOld {
            tool: format!("yum {version}"),
        });
    }
    let refresh_error = refresh_error(frame.section("refresh")?)?;
    let repositories = Repositories::of(&frame.section("repositories")?.body);
    if let Some(said) = &refresh_error
        && repositories.is_empty()
    {
        return Err(ScanError::NoLists { said: said.clone() });
    }
    let free = newest(done(frame, "upgrades", QUERY, &[0])?);
    let all = newest(done(frame, "all", QUERY, &[0])?);
    let transaction = Transaction::parse(frame.section("transaction")?)?;
    let updates = if all.is_empty() {
        Vec::new()
    } else {
        updates(frame, &repositories, &free, &all, &transaction)?
    };
    let updated: BTreeSet<&str> = updates.iter().map(|update| update.name.as_str()).collect();
    Ok(ScanReport {
        manager: Manager::Dnf,
        refreshed: refresh_error.is_none(),
        refresh_trouble: refresh_error.as_deref().map(RefreshTrouble::of),
        refresh_error,
        reboot_required: restarts::reboot_required(frame)?,
        interrupted: None,
        installs: transaction.installs(&updated),
        removes: transaction.removes(&updated),
        restarts: restarts::services(frame)?,
        updates,
    })
}

/// Which repositories were read, and whether they tell of advisories.
pub(super) struct Repositories<'a>(BTreeMap<&'a str, bool>);

impl<'a> Repositories<'a> {
    /// Reads `advisories NAME` or `silent NAME` a line.
    pub(super) fn of(body: &'a str) -> Self {
        let words = body.lines().filter_map(|line| line.split_once(' '));
        Self(words.map(|(word, name)| (name, word == "advisories")).collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an update of this repository would be called a security update if it were one.
    pub(super) fn tells(&self, name: &str) -> bool {
        self.0.get(name).copied().unwrap_or(false)
    }
}

/// An offered package.
#[derive(Debug, Clone, Copy)]
struct Offer<'a> {
    version: &'a str,
    repository: &'a str,
    size: Option<u64>,
    installed_size: Option<u64>,
}

type Offers<'a> = BTreeMap<(&'a str, &'a str), Offer<'a>>;

/// The newest version of each package, by name and architecture.
fn newest(body: &str) -> Offers<'_> {
    let mut newest: Offers<'_> = BTreeMap::new();
    for line in body.lines() {
        let columns: Vec<&str> = line.split('\t').collect();
        let [name, version, arch, repository, size, installed_size] = columns[..] else {
            continue;
        };
        let offer = Offer {
            version,
            repository,
            size: size.parse().ok(),
            installed_size: installed_size.parse().ok().filter(|size| *size > 0),
        };
        let known = newest.entry((name, arch)).or_insert(offer);
        if order(version, known.version).is_gt() {
            *known = offer;
        }
    }
    newest
}

fn order(one: &str, other: &str) -> Ordering {
    version::compare(Manager::Dnf, one, other)
}

fn updates(
    frame: &Frame,
    repositories: &Repositories<'_>,
    free: &Offers<'_>,
    all: &Offers<'_>,
    transaction: &Transaction<'_>,
) -> Result<Vec<AvailableUpdate>, ScanError> {
    let installed = newest(done(frame, "installed", "dnf repoquery --installed", &[0])?);
    let advisories = Advisories::parse(
        done(frame, "advisories", "dnf updateinfo list", &[0])?,
        done(frame, "details", "dnf updateinfo info", &[0])?,
    );
    let mut updates = Vec::new();
    for (package @ (name, arch), offer) in all {
        let from = installed.get(package).map(|installed| installed.version);
        let held = !free.contains_key(package);
        let offer = free.get(package).unwrap_or(offer);
        let fixes = advisories.between(name, arch, from, offer.version);
        let security = (!fixes.is_empty()).then_some(true);
        updates.push(AvailableUpdate {
            source: Manager::Dnf,
            name: (*name).to_owned(),
            arch: (*arch).to_owned(),
            from: from.map(str::to_owned),
            to: offer.version.to_owned(),
            origin: offer.repository.to_owned(),
            security: security.or(repositories.tells(offer.repository).then_some(false)),
            evidence: advisories::evidence(&fixes),
            severity: fixes.iter().filter_map(|fix| fix.severity).max(),
            fixes: advisories::identifiers(&fixes),
            held,
            phased: None,
            kept_back: !held && !transaction.takes(name, arch, offer.version),
            size: offer.size,
            installed_size: offer.installed_size,
        });
    }
    Ok(updates)
}

fn refresh_error(section: &Section) -> Result<Option<String>, ScanError> {
    match section.exit {
        0 => Ok(None),
        200 => Err(ScanError::Locked {
            said: tail(&section.body),
        }),
        124 => Ok(Some("'dnf makecache' did not end in time".to_owned())),
        _ => {
            let error = failed("dnf makecache", section);
            match error {
                ScanError::Tool { exit, said, .. } if said.is_empty() => {
                    Ok(Some(format!("'dnf makecache' failed with exit code {exit}")))
                }
                ScanError::Tool { said, .. } => Ok(Some(said)),
                other => Err(other),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::answer;

    /// Written after the manual of dnf 5, which runs on no machine of ours; not recorded.
    const TRANSACTION: &str = "Updating and loading repositories:
Repositories loaded.
Package      Arch   Version      Repository      Size
Upgrading:
 bash        x86_64 5.2.32-1.fc41 updates     8.2 MiB
   replacing bash x86_64 5.2.26-1.fc41 fedora 8.1 MiB
Installing dependencies:
 brought     noarch 0.5-1.fc41    updates     5.4 KiB

Transaction Summary:
 Installing:        1 package
 Upgrading:         1 package
 Replacing:         1 package

Operation aborted by the user.";
    const ADVISORIES: &str = "Name                   Type     Severity  Package                Issued
FEDORA-2026-0123456789 security important bash-5.2.32-1.fc41.x86_64 2026-01-02 03:04:05
FEDORA-2026-9876543210 bugfix   None      bash-5.2.30-1.fc41.x86_64 2026-01-01 03:04:05";
    const DETAILS: &str = "Name        : FEDORA-2026-0123456789
Title       : bash-5.2.32-1.fc41
Severity    : important
Type        : security
Description : A fix.
Reference   :
  Title     : CVE-2026-0001 bash: a hole
  Id        : 2330001
  Type      : bugzilla";

    fn sections<'a>() -> Vec<(&'a str, i32, &'a str)> {
        let upgrades = "\nbash\t5.2.32-1.fc41\tx86_64\tupdates\t1900000\t8200000";
        vec![
            ("manager", 0, "dnf"),
            ("reboot", 0, "no"),
            ("restarts", 0, ""),
            ("tool", 0, "dnf\ndnf5 version 5.2.6.2"),
            ("refresh", 0, ""),
            ("repositories", 0, "advisories updates\nsilent fedora"),
            ("upgrades", 0, upgrades),
            ("all", 0, upgrades),
            ("transaction", 1, TRANSACTION),
            ("installed", 0, "bash\t5.2.26-1.fc41\tx86_64\tfedora\t0\t8100000"),
            ("advisories", 0, ADVISORIES),
            ("details", 0, DETAILS),
        ]
    }

    fn read(sections: &[(&str, i32, &str)]) -> Result<ScanReport, ScanError> {
        crate::scan::parse(&answer("scan", sections))
    }

    #[test]
    fn the_tables_of_dnf_5_are_read() {
        let report = read(&sections()).expect("readable");
        let bash = &report.updates[0];
        assert_eq!(
            (bash.from.as_deref(), bash.to.as_str(), bash.security, bash.kept_back),
            (Some("5.2.26-1.fc41"), "5.2.32-1.fc41", Some(true), false)
        );
        assert_eq!(bash.evidence.as_deref(), Some("FEDORA-2026-0123456789 (important)"));
        assert_eq!(bash.fixes, ["CVE-2026-0001"]);
        assert_eq!((bash.size, bash.installed_size), (Some(1_900_000), Some(8_200_000)));
        assert_eq!((report.updates.len(), report.removes.len()), (1, 0));
        assert_eq!(report.installs[0].name, "brought");
    }

    #[test]
    fn a_table_that_lost_a_line_is_garbage() {
        let cut = TRANSACTION.replace(" brought     noarch 0.5-1.fc41    updates     5.4 KiB\n", "");
        let changed: Vec<_> = sections()
            .into_iter()
            .map(|section| match section.0 {
                "transaction" => (section.0, section.1, cut.as_str()),
                _ => section,
            })
            .collect();
        assert_eq!(read(&changed).expect_err("a line is missing").code(), "garbage");
    }
}
