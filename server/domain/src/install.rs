//! Installing the agent through PVE: the steps in their order, and what makes a guest unfit.

use crate::eligible::LeftOut;
use crate::fleet::words;

words! {
    /// A step of an installation. Each is stored before it is done, so that a restarted server knows where it was.
    InstallStep {
        /// The console is made to show a shell, where that was asked for.
        Console = "console",
        /// A way in is found, and the guest is looked at.
        Preflight = "preflight",
        /// A one-time permission to enrol is made.
        Token = "token",
        /// The install script is brought into the guest.
        Script = "script",
        /// The agent program is fetched there, or brought in.
        Program = "program",
        /// The agent enrols and its service starts.
        Service = "service",
        /// The agent connects.
        CheckIn = "check_in",
        /// What was brought in besides is removed.
        CleanUp = "clean_up",
    }
}

words! {
    /// What may be done to consoles where nothing else leads in.
    Consoles {
        /// Nothing.
        Leave = "leave",
        /// They are made to show a shell, which takes effect at the next restart.
        Set = "set",
        /// The same, and their containers are restarted now.
        Restart = "restart",
    }
}

impl InstallStep {
    /// The steps of a job, in order. Without consoles to be switched the first does not occur.
    pub fn of_job(open_consoles: bool) -> &'static [InstallStep] {
        &InstallStep::ALL[usize::from(!open_consoles)..]
    }
}

/// What counts of a guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fitness<'a> {
    /// Whether scripts run as root.
    pub root: bool,
    /// Machine name as `uname -m` says it.
    pub arch: &'a str,
    /// `systemd`, `openrc` or anything else.
    pub init: &'a str,
    /// Free KiB.
    pub free_kib: Option<u64>,
    /// Whether it has a program that fetches files.
    pub fetches: bool,
    /// Whether Muster can be reached from there.
    pub reaches_muster: Option<bool>,
}

/// How the program gets into a guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// The guest fetches it.
    Fetched,
    /// It is brought through the way in.
    Brought,
}

/// What an installation takes, in KiB.
const SPACE: u64 = 16 * 1024;

/// How the program gets in, or why the agent cannot run there. `arches` are those there is a program for, `agent_url` is
/// the address of Muster that was tried.
pub fn judge(guest: &Fitness<'_>, arches: &[&str], agent_url: &str) -> Result<Delivery, LeftOut> {
    if !guest.root {
        return unfit("not_root", "Commands do not run as root there.".to_owned());
    }
    if !arches.contains(&guest.arch) {
        let known = arches.join(", ");
        let detail = format!(
            "There is no agent for the architecture {}, only for {known}.",
            guest.arch
        );
        return unfit("no_agent_for_architecture", detail);
    }
    if !matches!(guest.init, "systemd" | "openrc") {
        let detail = "The guest runs neither systemd nor OpenRC, so nothing would keep the agent running.";
        return unfit("init_unsupported", detail.to_owned());
    }
    if let Some(free) = guest.free_kib.filter(|free| *free < SPACE) {
        let detail = format!(
            "Only {} MiB are free in the guest; {} are needed.",
            free / 1024,
            SPACE / 1024
        );
        return unfit("no_space", detail);
    }
    match (guest.reaches_muster, guest.fetches) {
        (Some(false), _) => unfit(
            "cannot_reach",
            format!("The guest cannot reach {agent_url}: open that way, or set another address in the settings."),
        ),
        (_, true) => Ok(Delivery::Fetched),
        (_, false) => Ok(Delivery::Brought),
    }
}

fn unfit<T>(code: &'static str, detail: String) -> Result<T, LeftOut> {
    Err(LeftOut { code, detail })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: Fitness<'static> = Fitness {
        root: true,
        arch: "x86_64",
        init: "systemd",
        free_kib: Some(100_000),
        fetches: true,
        reaches_muster: Some(true),
    };

    fn code(guest: &Fitness<'_>) -> &'static str {
        judge(guest, &["x86_64"], "https://muster").map_or_else(|left| left.code, |_| "fit")
    }

    #[test]
    fn each_lack_has_its_word() {
        assert_eq!(code(&GOOD), "fit");
        assert_eq!(code(&Fitness { root: false, ..GOOD }), "not_root");
        assert_eq!(
            code(&Fitness {
                arch: "riscv64",
                ..GOOD
            }),
            "no_agent_for_architecture"
        );
        assert_eq!(code(&Fitness { init: "other", ..GOOD }), "init_unsupported");
        assert_eq!(
            code(&Fitness {
                free_kib: Some(16_383),
                ..GOOD
            }),
            "no_space"
        );
        let shut = Fitness {
            reaches_muster: Some(false),
            ..GOOD
        };
        assert_eq!(code(&shut), "cannot_reach");
    }

    #[test]
    fn a_guest_that_cannot_fetch_is_brought_the_program() {
        let bare = Fitness {
            fetches: false,
            reaches_muster: None,
            ..GOOD
        };
        assert_eq!(judge(&bare, &["x86_64"], "https://muster"), Ok(Delivery::Brought));
        assert_eq!(judge(&GOOD, &["x86_64"], "https://muster"), Ok(Delivery::Fetched));
    }

    #[test]
    fn the_console_step_occurs_only_where_it_was_asked_for() {
        assert_eq!(InstallStep::of_job(true).first(), Some(&InstallStep::Console));
        assert_eq!(InstallStep::of_job(false).first(), Some(&InstallStep::Preflight));
    }
}
