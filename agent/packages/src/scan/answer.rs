//! What all parsers need of an answer: commands that succeeded, and what a failure means.

use serde::{Deserialize, Serialize};

use super::ScanError;
use crate::frame::{Frame, Section};

/// Why package lists could not be fetched anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefreshTrouble {
    /// The guest's disk is full.
    DiskFull,
    /// A list or a mirror's certificate is not signed by somebody the guest trusts.
    Untrusted,
    /// Names are not resolved, or no way leads out of the guest.
    NoNetwork,
    /// It took too long.
    TimedOut,
    /// A mirror does not answer, or does not have the lists.
    Mirror,
    /// Something else.
    Other,
}

impl RefreshTrouble {
    /// The reason for a person, without full stop.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::DiskFull => "the guest's disk is full",
            Self::Untrusted => "a signature or certificate is not trusted by the guest",
            Self::NoNetwork => "the guest has no network, or resolves no names",
            Self::TimedOut => "it took too long",
            Self::Mirror => "a mirror does not answer or lacks the lists",
            Self::Other => "the package manager failed",
        }
    }

    /// What the words of a package manager mean; all of them are asked to speak English.
    pub(super) fn of(said: &str) -> Self {
        let said = said.to_ascii_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| said.contains(word));
        if is_disk_full(&said) {
            Self::DiskFull
        } else if says(&["signature", "untrusted", "gpg", "no_pubkey", "certificate"]) {
            Self::Untrusted
        } else if says(NO_NETWORK) {
            Self::NoNetwork
        } else if says(&["timed out", "timeout", "did not end in time"]) {
            Self::TimedOut
        } else if says(MIRROR) {
            Self::Mirror
        } else {
            Self::Other
        }
    }
}

const NO_NETWORK: &[&str] = &[
    "resolving",
    "could not resolve",
    "couldn't resolve",
    "name or service not known",
    "name does not resolve",
    "dns",
    "network is unreachable",
    "network unreachable",
    "no route to host",
];
const MIRROR: &[&str] = &[
    "fail",
    "could not connect",
    "connection refused",
    "http 4",
    "http 5",
    "404",
    "403",
    "no such file",
    "mirror",
    "not found",
    "not a directory",
    "retriev",
];

fn is_disk_full(said: &str) -> bool {
    [
        "no space left",
        "disk full",
        "disk is full",
        "enough free",
        "disk quota",
    ]
    .iter()
    .any(|word| said.to_ascii_lowercase().contains(word))
}

/// The section's text, when its command succeeded with one of these exit codes.
pub(super) fn done<'a>(
    frame: &'a Frame,
    section: &'static str,
    tool: &'static str,
    exits: &[i32],
) -> Result<&'a str, ScanError> {
    let section = frame.section(section)?;
    if exits.contains(&section.exit) {
        return Ok(&section.body);
    }
    Err(failed(tool, section))
}

/// The failure of a command.
pub(super) fn failed(tool: &'static str, section: &Section) -> ScanError {
    let said = tail(&section.body);
    if is_disk_full(&said) {
        ScanError::DiskFull { said }
    } else {
        ScanError::Tool {
            tool,
            exit: section.exit,
            said,
        }
    }
}

/// At most the last 4 KiB of a text.
pub(super) fn tail(text: &str) -> String {
    let mut start = text.len().saturating_sub(4096);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    text[start..].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_each_package_manager_have_a_meaning() {
        for (said, trouble) in [
            (
                "W: Failed to fetch http://x  Temporary failure resolving 'x'",
                RefreshTrouble::NoNetwork,
            ),
            (
                "Curl error (6): Couldn't resolve host name for http://x",
                RefreshTrouble::NoNetwork,
            ),
            (
                "WARNING: updating http://x: DNS lookup error",
                RefreshTrouble::NoNetwork,
            ),
            (
                "error: failed retrieving file 'core.db' from x : Connection refused",
                RefreshTrouble::Mirror,
            ),
            (
                "WARNING: updating http://x/APKINDEX.tar.gz: HTTP 404: Not Found",
                RefreshTrouble::Mirror,
            ),
            (
                "error: lab: signature from \"x\" is unknown trust",
                RefreshTrouble::Untrusted,
            ),
            (
                "WARNING: updating http://x: UNTRUSTED signature",
                RefreshTrouble::Untrusted,
            ),
            (
                "E: You don't have enough free space in /var/cache/apt/archives/.",
                RefreshTrouble::DiskFull,
            ),
            (
                "error: Partition /var too full: not enough free disk space",
                RefreshTrouble::DiskFull,
            ),
            (
                "WARNING: updating and opening http://x: No space left on device",
                RefreshTrouble::DiskFull,
            ),
            ("'apt-get update' did not end in time", RefreshTrouble::TimedOut),
            ("something new", RefreshTrouble::Other),
        ] {
            assert_eq!(RefreshTrouble::of(said), trouble, "{said}");
        }
    }
}
