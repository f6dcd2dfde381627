//! What can go wrong, sorted by what the caller may do about it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use crate::{Endpoint, Fingerprint, Upid};

/// The result of a call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call has no answer.
///
/// `call` is the name of the call in the [catalogue](crate::catalogue). Messages of PVE are kept as PVE wrote them,
/// without the newline it puts at their end. No variant ever holds a secret.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An argument cannot be right; nothing was sent.
    #[error("the {what} is not valid: {reason}")]
    Invalid {
        /// The argument.
        what: &'static str,
        /// What is wrong with it.
        reason: Cow<'static, str>,
    },
    /// No endpoint took the request, so nothing happened: try again, or look at the addresses.
    #[error("{call} was not sent: {reason}")]
    NotSent {
        /// The call.
        call: &'static str,
        /// Each endpoint that was tried and how it failed.
        reason: String,
    },
    /// The request was sent, its answer never came. A call that changes something may have happened: look before
    /// doing it again. (A reading call was already repeated once.)
    #[error("{call} was sent to {endpoint}, but no answer came: {reason}; it may have happened")]
    Unknown {
        /// The call.
        call: &'static str,
        /// Where it was sent.
        endpoint: Endpoint,
        /// How the connection ended.
        reason: String,
    },
    /// PVE refused the call, or it failed there.
    #[error("{call} was refused with status {status}: {message}{}", in_brackets(fields))]
    Rejected {
        /// The call.
        call: &'static str,
        /// The HTTP status: 400 for parameters, 500 for nearly everything else.
        status: u16,
        /// PVE's own words.
        message: String,
        /// What is wrong with single parameters, by name.
        fields: BTreeMap<String, String>,
    },
    /// The token lacks a privilege.
    #[error("{call} is not allowed: {message}")]
    Denied {
        /// The call.
        call: &'static str,
        /// The object in PVE's permission tree, such as `/vms/100`.
        path: Option<String>,
        /// The privilege that is missing there; alternatives are joined by `|`.
        privilege: Option<String>,
        /// PVE's own words.
        message: String,
    },
    /// PVE does not know the token or the user, or it has expired or is switched off.
    #[error("{endpoint} did not accept the API token or the password: {message}; check name, secret and expiry")]
    Unauthenticated {
        /// Who refused it.
        endpoint: Endpoint,
        /// PVE's own words; since January 2026 they no longer say why.
        message: String,
    },
    /// This PVE does not have the call.
    #[error("{call} does not exist in this Proxmox VE: {message}")]
    NotImplemented {
        /// The call.
        call: &'static str,
        /// PVE's own words.
        message: String,
    },
    /// The API answered, but could not reach the node that the call is about (statuses 595 to 599).
    #[error("{call}: the node {node} cannot be reached by its cluster: {status} {message}")]
    NodeUnreachable {
        /// The call.
        call: &'static str,
        /// The node, or the endpoint for a call that names no node.
        node: String,
        /// 595 connecting, 596 TLS or no answer within 30 s, 599 anything else.
        status: u16,
        /// PVE's own words.
        message: String,
    },
    /// The endpoint presented a certificate that is not pinned; nothing was sent. Ask a person, or a node that is
    /// still trusted, before trusting it.
    #[error(
        "{endpoint} presents the certificate {got}, which is not the one that was trusted ({})",
        list(expected)
    )]
    TlsMismatch {
        /// Who presented it.
        endpoint: Endpoint,
        /// The pinned certificates at that moment.
        expected: Vec<Fingerprint>,
        /// What was presented.
        got: Fingerprint,
    },
    /// No trusted connection could be made; nothing was sent.
    #[error("no trusted connection to {endpoint}: {reason}")]
    Tls {
        /// The endpoint.
        endpoint: Endpoint,
        /// What is wrong with its certificate, or with the handshake.
        reason: String,
    },
    /// No answer within the time given. Only reading and waiting end like this: nothing was changed by it.
    #[error("{call} had no answer within {} s", after.as_secs_f32())]
    TimedOut {
        /// The call.
        call: &'static str,
        /// The time given.
        after: Duration,
    },
    /// The answer is larger than the client accepts; it was cut off.
    #[error("the answer to {call} is larger than {limit} bytes")]
    TooLarge {
        /// The call.
        call: &'static str,
        /// The limit in bytes.
        limit: usize,
    },
    /// The answer is not what this call answers.
    #[error("the answer to {call} ({path}) cannot be understood: {reason}")]
    Decode {
        /// The call.
        call: &'static str,
        /// The path that was asked, below `/api2/json`.
        path: String,
        /// Where and why.
        reason: String,
    },
    /// A task ran and failed.
    #[error("the task {upid} failed: {exit}")]
    TaskFailed {
        /// The task.
        upid: Upid,
        /// Its exit status in PVE's own words.
        exit: String,
    },
}

impl Error {
    /// Whether the call may have changed something although there is no answer.
    pub fn may_have_happened(&self) -> bool {
        matches!(self, Self::Unknown { .. })
    }

    /// Whether PVE says that the guest is not on the node that was asked: it was deleted or has migrated, so look up
    /// its node again. PVE answers this with status 500 and the name of the missing configuration file.
    pub fn is_missing_guest(&self) -> bool {
        matches!(self, Self::Rejected { status: 500, message, .. }
            if message.starts_with("Configuration file 'nodes/") && message.contains("' does not exist"))
    }

    pub(crate) fn invalid(what: &'static str, reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Invalid {
            what,
            reason: reason.into(),
        }
    }
}

fn in_brackets(fields: &BTreeMap<String, String>) -> String {
    if fields.is_empty() {
        return String::new();
    }
    let each: Vec<String> = fields
        .iter()
        .map(|(name, reason)| format!("{name}: {reason}"))
        .collect();
    format!(" ({})", each.join("; "))
}

fn list(fingerprints: &[Fingerprint]) -> String {
    if fingerprints.is_empty() {
        return "none is pinned".to_owned();
    }
    fingerprints
        .iter()
        .map(Fingerprint::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}
