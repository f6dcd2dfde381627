//! Commands and what comes of them.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A command as it travels: the exact text that was signed, and the signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedCommand {
    /// JSON text of a [`Command`].
    pub payload: String,
    /// The server's signature of [`crate::signing::command`], base64.
    pub signature: String,
}

/// One thing to do, once, by one agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// Single use: an agent never runs the same id twice.
    pub id: Uuid,
    /// The only agent that may run it.
    pub agent: Uuid,
    /// Raised by the server after a rollback of the guest's disk, so that a repeated command is told from a replayed one.
    pub generation: u64,
    /// The server's clock, microseconds since 1970.
    pub issued_at: i64,
    /// Not to be started after this moment of the server's clock, microseconds since 1970.
    pub expires_at: i64,
    /// What to do.
    pub verb: Verb,
}

/// The closed list of things an agent does. There is no free text among them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum Verb {
    /// Look at the host.
    Facts,
    /// Read what could be updated; changes nothing but package metadata.
    Scan {
        /// Digest of the last report the server holds; an equal one is answered without its items.
        known_digest: Option<String>,
    },
    /// End the agent's process after the answer is delivered; the service starts it again.
    Restart,
}

/// What came of a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum Outcome {
    /// It was done.
    Done {
        /// What was found.
        report: Report,
    },
    /// It was tried and failed, or was not tried at all.
    Failed(Failure),
}

/// Why a command has no report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Stable code: `expired`, `interrupted`, `refused`, `timed_out`, `locked` (another package tool is at
    /// work), `no_lists` (there are no package lists and none can be fetched), `disk_full`, `tool_failed`,
    /// `unsupported`, `garbage`.
    pub code: String,
    /// One sentence for a person: what happened and what to do.
    pub detail: String,
    /// The tail of what the tool said, at most 4 KiB.
    pub output: Option<String>,
}

/// What a verb found. Reports of package managers travel as the JSON that `muster-packages` defines, so that this crate
/// needs to know nothing about packages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case")]
pub enum Report {
    /// Answer to [`Verb::Facts`].
    Facts(HostFacts),
    /// Answer to [`Verb::Scan`].
    Scan {
        /// SHA-256 over the report's canonical JSON, hex.
        digest: String,
        /// The whole report, absent when its digest is the known one.
        report: Option<serde_json::Value>,
    },
    /// Answer to [`Verb::Restart`].
    Restart,
}

/// What an agent sees of its host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostFacts {
    /// Host name.
    pub hostname: String,
    /// `ID` of os-release, e.g. `debian`; empty when there is none.
    pub os_id: String,
    /// `PRETTY_NAME` of os-release.
    pub os_name: String,
    /// `VERSION_ID` of os-release.
    pub os_version: String,
    /// Machine name as `uname -m` says it, e.g. `x86_64`.
    pub arch: String,
    /// Kernel release.
    pub kernel: String,
    /// `systemd`, `openrc` or `other`.
    pub init: String,
    /// SHA-256 of the host's machine id, hex; absent when it has none.
    pub machine: Option<String>,
    /// The kernel's random id of this boot.
    pub boot: Option<String>,
}
