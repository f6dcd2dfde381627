//! Verb scan: what could be updated. Changes nothing in the guest but its package lists.
//!
//! Each package manager has a script and a parser of its own. All of them end in one [`ScanReport`]; what a tool does not
//! say stays unknown there.

mod answer;
mod apk;
mod apt;
mod dnf;
mod pacman;
mod policy;
mod restarts;
#[cfg(test)]
mod tests;
mod zypper;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::frame::{self, Frame, FrameError};
pub use answer::RefreshTrouble;

/// What could be updated in a guest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanReport {
    /// The package manager that the system is built on.
    pub manager: Manager,
    /// Everything installed for which something newer is offered, sorted by name and architecture.
    pub updates: Vec<AvailableUpdate>,
    /// Whether every package list was fetched anew. When false, `updates` is what older lists say.
    pub refreshed: bool,
    /// What went wrong while the lists were fetched.
    pub refresh_error: Option<String>,
    /// What that means.
    #[serde(default)]
    pub refresh_trouble: Option<RefreshTrouble>,
    /// Whether the guest says that it must be restarted for earlier updates to take effect.
    pub reboot_required: bool,
    /// What the package manager says about an earlier transaction that did not end; it must be repaired before the next.
    pub interrupted: Option<String>,
    /// Packages that an upgrade would install anew, because updates need them.
    #[serde(default)]
    pub installs: Vec<PackageVersion>,
    /// Packages that an upgrade would take away.
    #[serde(default)]
    pub removes: Vec<PackageVersion>,
    /// Services and programs that still use files which an earlier update has replaced, sorted.
    #[serde(default)]
    pub restarts: Vec<String>,
}

/// One version of a package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PackageVersion {
    /// Package name.
    pub name: String,
    /// The version that comes or goes; empty where the package manager does not say.
    pub version: String,
}

/// One thing that could be updated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AvailableUpdate {
    /// Where it comes from.
    pub source: Manager,
    /// Package name.
    pub name: String,
    /// Package architecture, e.g. `amd64`, `all`.
    pub arch: String,
    /// Installed version.
    pub from: Option<String>,
    /// Offered version.
    pub to: String,
    /// Who offers it, e.g. `Debian-Security:12/stable-security`; several are separated by a comma and a space.
    pub origin: String,
    /// Whether it brings a security fix, by the archive's own word. A package's name plays no part. None where the
    /// metadata says nothing about security: that is unknown, and not "no".
    pub security: Option<bool>,
    /// The archive's word that says so, e.g. `Debian-Security:12/stable-security`, with the version that it offers when
    /// that is not `to`: a later update includes the fixes of the ones before it.
    pub evidence: Option<String>,
    /// How grave the archive calls what it fixes.
    #[serde(default)]
    pub severity: Option<Severity>,
    /// What it fixes, e.g. `CVE-2026-1234`.
    #[serde(default)]
    pub fixes: Vec<String>,
    /// Held by the guest's administrator: on hold, excluded, ignored, locked or pinned, as the package manager calls it.
    pub held: bool,
    /// Not installed by an upgrade now, because it is rolled out in phases: the percentage of machines reached so far.
    pub phased: Option<u8>,
    /// Not installed by an upgrade now, because its dependencies do not allow it.
    pub kept_back: bool,
    /// Bytes to download.
    pub size: Option<u64>,
    /// Bytes on disk when it is installed.
    #[serde(default)]
    pub installed_size: Option<u64>,
}

/// How grave an archive calls what an update fixes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Low or minor.
    Low,
    /// Moderate or medium.
    Moderate,
    /// Important or high.
    Important,
    /// Critical.
    Critical,
}

/// A package manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Manager {
    /// Debian, Ubuntu and what is made of them.
    Apt,
    /// Fedora, RHEL and what is made of them.
    Dnf,
    /// openSUSE and SLES.
    Zypper,
    /// Arch and what is made of it.
    Pacman,
    /// Alpine.
    Apk,
}

/// How long the script may wait for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For another package tool to give back its lock.
    pub lock: Duration,
    /// For the package lists to be fetched; after that the old ones are used and the report says so.
    pub refresh: Duration,
}

/// Why there is no report.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ScanError {
    /// The package manager is of a kind that is not read.
    #[error("{tool} is too old to be read; nothing is known about updates here")]
    TooOld {
        /// Its name and version.
        tool: String,
    },
    /// The system has no package manager.
    #[error("no package manager was found: apt, dnf, zypper, pacman and apk are known")]
    NoManager,
    /// Another package tool held its lock for longer than [`Patience::lock`].
    #[error("another package tool is at work in the guest and did not end in time; scan again later")]
    Locked {
        /// What the tool said.
        said: String,
    },
    /// The guest has no package lists at all, and they could not be fetched.
    #[error("the guest has no package lists, and they cannot be fetched: {}", RefreshTrouble::of(.said).sentence())]
    NoLists {
        /// What the tool said.
        said: String,
    },
    /// The guest's disk is full.
    #[error("the guest's disk is full: make room and scan again")]
    DiskFull {
        /// What the tool said.
        said: String,
    },
    /// A tool of the guest failed.
    #[error("'{tool}' failed in the guest with exit code {exit}")]
    Tool {
        /// The command, as a person would type it.
        tool: &'static str,
        /// Its exit code.
        exit: i32,
        /// What it said, at most 4 KiB.
        said: String,
    },
    /// A tool said something that the parser does not know; guessing would hide updates.
    #[error("'{tool}' said something unexpected: {problem}")]
    Garbage {
        /// The command, as a person would type it.
        tool: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The answer did not arrive whole.
    #[error(transparent)]
    Frame(#[from] FrameError),
}

/// The script of this verb.
pub fn script(patience: Patience) -> String {
    let text = [
        include_str!("scan/scan.sh"),
        include_str!("scan/apt.sh"),
        include_str!("scan/dnf.sh"),
        include_str!("scan/zypper.sh"),
        include_str!("scan/pacman.sh"),
        include_str!("scan/apk.sh"),
        include_str!("scan/end.sh"),
    ]
    .join("\n")
    .replace("@LOCK_SECONDS@", &patience.lock.as_secs().to_string())
    .replace("@REFRESH_SECONDS@", &patience.refresh.as_secs().max(1).to_string());
    frame::script("scan", &text)
}

/// Reads what the script printed.
pub fn parse(output: &[u8]) -> Result<ScanReport, ScanError> {
    let frame = Frame::parse("scan", output)?;
    match Manager::detect(&frame)? {
        Manager::Apt => apt::report(&frame),
        Manager::Dnf => dnf::report(&frame),
        Manager::Zypper => zypper::report(&frame),
        Manager::Pacman => pacman::report(&frame),
        Manager::Apk => apk::report(&frame),
    }
}

impl Severity {
    /// Its name, e.g. `important`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Moderate => "moderate",
            Self::Important => "important",
            Self::Critical => "critical",
        }
    }

    /// Reads the words that archives use; None for others, such as `Unknown`.
    fn parse(word: &str) -> Option<Self> {
        match word.to_ascii_lowercase().as_str() {
            "low" | "minor" => Some(Self::Low),
            "moderate" | "medium" => Some(Self::Moderate),
            "important" | "high" => Some(Self::Important),
            "critical" => Some(Self::Critical),
            _ => None,
        }
    }
}

impl ScanReport {
    /// The one text of this report: equal reports have equal texts, so that its digest can be compared.
    pub fn canonical_json(&self) -> String {
        // Strings, numbers and booleans under fixed keys: serialising these cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Manager {
    /// Its name as people type it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Apt => "apt",
            Self::Dnf => "dnf",
            Self::Zypper => "zypper",
            Self::Pacman => "pacman",
            Self::Apk => "apk",
        }
    }

    fn detect(frame: &Frame) -> Result<Self, ScanError> {
        let section = frame.section("manager")?;
        [Self::Apt, Self::Dnf, Self::Zypper, Self::Pacman, Self::Apk]
            .into_iter()
            .find(|manager| section.exit == 0 && manager.name() == section.body)
            .ok_or(ScanError::NoManager)
    }
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            lock: Duration::from_secs(120),
            refresh: Duration::from_secs(240),
        }
    }
}

impl ScanError {
    /// Stable code of this error, one of those that a command's failure may carry.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooOld { .. } | Self::NoManager => "unsupported",
            Self::Locked { .. } => "locked",
            Self::NoLists { .. } => "no_lists",
            Self::DiskFull { .. } => "disk_full",
            Self::Tool { .. } => "tool_failed",
            Self::Garbage { .. } | Self::Frame(_) => "garbage",
        }
    }

    /// What the guest's tool said, when one spoke.
    pub fn said(&self) -> Option<&str> {
        match self {
            Self::Locked { said } | Self::NoLists { said } | Self::DiskFull { said } | Self::Tool { said, .. } => {
                Some(said)
            }
            _ => None,
        }
    }
}
