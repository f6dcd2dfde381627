//! The ways through a container's console: a terminal for people, opened with the API token or with a user's password.
//!
//! Both need a console that opens a shell (`cmode=shell`), and the token needs packages that let tokens in.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Transport, Way, WayState, obstacle};
use crate::fleet::{GuestState, words};
use crate::rights::Major;

words! {
    /// What a container's console shows.
    ConsoleMode {
        /// A login; PVE's default.
        Tty = "tty",
        /// The output of its first process.
        Console = "console",
        /// A shell of root.
        Shell = "shell",
    }

    /// Whether a node lets API tokens use consoles.
    TokenConsole {
        /// Neither tried with its present packages, nor said by their versions.
        Unknown = "unknown",
        /// It does.
        Works = "works",
        /// It does not.
        Refused = "refused",
    }
}

/// The versions of a node's packages that decide about consoles, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Packages(pub BTreeMap<String, String>);

/// The packages that decide, and the first versions with which a token opens a container's console, on PVE 8 and on PVE 9.
/// All of April 2026, except the terminal program, which not every PVE lists.
pub const CONSOLE_PACKAGES: [(&str, [&str; 2]); 4] = [
    ("pve-container", ["5.3.4", "6.1.3"]),
    ("libpve-access-control", ["8.2.3", "9.0.7"]),
    ("pve-manager", ["8.4.19", "9.0.13"]),
    (TERMINAL, ["1.1.1", "2.0.3"]),
];
const TERMINAL: &str = "proxmox-termproxy";

/// The action that makes a console open a shell.
pub(super) const SET_CONSOLE_MODE: &str = "set_console_mode";

impl Packages {
    /// What the versions say about tokens. Packages that are not known say nothing.
    pub fn token_console(&self, major: Major) -> TokenConsole {
        if self.too_old(major).next().is_some() {
            return TokenConsole::Refused;
        }
        let deciding = CONSOLE_PACKAGES.iter().filter(|(name, _)| *name != TERMINAL);
        match deciding.into_iter().all(|(name, _)| self.0.contains_key(*name)) {
            true => TokenConsole::Works,
            false => TokenConsole::Unknown,
        }
    }

    /// The packages that are too old: name, version, and the version it takes.
    fn too_old(&self, major: Major) -> impl Iterator<Item = (&str, &str, &'static str)> {
        CONSOLE_PACKAGES.iter().filter_map(move |(name, since)| {
            let since = since[usize::from(major == Major::Nine)];
            let (name, version) = self.0.get_key_value(*name)?;
            (numbers(version) < numbers(since)).then_some((name.as_str(), version.as_str(), since))
        })
    }
}

/// `6.1.10-2` as numbers that can be compared. PVE's own packages have no letters in their versions.
fn numbers(version: &str) -> Vec<u64> {
    version
        .split(|c: char| !c.is_ascii_digit())
        .map_while(|part| part.parse().ok())
        .collect()
}

pub(super) fn by_token(guest: &GuestState) -> Way {
    let way = |state, reason: String, action| Way::new(Transport::TokenConsole, state, reason, action);
    if let Some((state, reason)) = obstacle(guest) {
        return way(state, reason, None);
    }
    if guest.token_console == TokenConsole::Refused {
        return way(WayState::Impossible, too_old(guest), None);
    }
    if guest.rights.is_some_and(|rights| !rights.console) {
        let reason = format!("The token lacks VM.Console on /vms/{}.", guest.vmid);
        return way(WayState::Needs, reason, None);
    }
    if let Some((reason, action)) = no_shell(guest) {
        return way(WayState::Needs, reason, action);
    }
    match guest.token_console {
        TokenConsole::Works => way(WayState::Ready, "Its console opens a shell.".to_owned(), None),
        _ => way(
            WayState::Untried,
            format!("Nobody has tried whether {} lets API tokens use consoles.", guest.node),
            None,
        ),
    }
}

pub(super) fn by_ticket(guest: &GuestState) -> Way {
    let way = |state, reason: String, action| Way::new(Transport::TicketConsole, state, reason, action);
    if let Some((state, reason)) = obstacle(guest) {
        return way(state, reason, None);
    }
    let Some(user) = &guest.login else {
        let reason = "Needs a user of PVE with a password; none is stored for the cluster.";
        return way(WayState::Needs, reason.to_owned(), None);
    };
    if let Some((reason, action)) = no_shell(guest) {
        return way(WayState::Needs, reason, action);
    }
    let reason = format!("Its console opens a shell, and {user} may open it.");
    way(WayState::Untried, reason, None)
}

/// Why the console shows no shell, and the step that changes it.
fn no_shell(guest: &GuestState) -> Option<(String, Option<&'static str>)> {
    let shows = match guest.console_mode {
        Some(ConsoleMode::Shell) => return None,
        Some(ConsoleMode::Tty) => "The console shows a login.",
        Some(ConsoleMode::Console) => "The console shows the output of the first process.",
        None => return Some(("What its console shows has not been read yet.".to_owned(), None)),
    };
    if guest.console_pending == Some(ConsoleMode::Shell) {
        let reason = format!("{shows} cmode=shell is set and takes effect at its next restart.");
        return Some((reason, Some(SET_CONSOLE_MODE)));
    }
    let lacking = guest.rights.and_then(|rights| match rights {
        rights if !rights.options => Some("VM.Config.Options"),
        rights if !rights.power => Some("VM.PowerMgmt"),
        _ => None,
    });
    if let Some(right) = lacking {
        let reason = format!("{shows} The token lacks {right} on /vms/{} to change that.", guest.vmid);
        return Some((reason, None));
    }
    let reason = format!("{shows} With cmode=shell it opens a shell, after one restart.");
    Some((reason, Some(SET_CONSOLE_MODE)))
}

fn too_old(guest: &GuestState) -> String {
    let old: Vec<String> = guest
        .packages
        .too_old(guest.major)
        .map(|(name, version, since)| format!("{name} {version} (needed: {since})"))
        .collect();
    let node = &guest.node;
    if old.is_empty() {
        return format!("{node} does not let API tokens use consoles, as a try has shown: update its packages.");
    }
    format!(
        "{node} does not let API tokens use consoles: update {}.",
        old.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packages(container: &str, access: &str, manager: &str, terminal: &str) -> Packages {
        let versions = [container, access, manager, terminal];
        let names = CONSOLE_PACKAGES.iter().map(|(name, _)| (*name).to_owned());
        Packages(names.zip(versions.map(str::to_owned)).collect())
    }

    /// The generations that were tried on real nodes.
    #[test]
    fn versions_say_whether_a_token_is_let_in() {
        let seen = [
            (
                packages("6.1.5", "9.0.7", "9.1.9", "2.1.0"),
                Major::Nine,
                TokenConsole::Works,
            ),
            (
                packages("6.1.2", "9.0.6", "9.1.8", "2.0.3"),
                Major::Nine,
                TokenConsole::Refused,
            ),
            (
                packages("5.3.3", "8.2.2", "8.4.17", "1.1.0"),
                Major::Eight,
                TokenConsole::Refused,
            ),
            (
                packages("5.3.10-1", "8.2.3", "8.4.19", "1.1.1"),
                Major::Eight,
                TokenConsole::Works,
            ),
            (Packages::default(), Major::Nine, TokenConsole::Unknown),
        ];
        for (packages, major, expected) in seen {
            assert_eq!(packages.token_console(major), expected, "{packages:?}");
        }
    }

    #[test]
    fn one_package_that_is_too_old_is_enough() {
        let half = packages("6.1.5", "9.0.7", "9.1.9", "2.0.2");
        assert_eq!(half.token_console(Major::Nine), TokenConsole::Refused);
        let partly = Packages(BTreeMap::from([("pve-container".to_owned(), "6.1.10".to_owned())]));
        assert_eq!(partly.token_console(Major::Nine), TokenConsole::Unknown);
    }
}
