//! Why a cluster cannot be read, in words that say what to do. Codes are explained in docs/errors.md.

use proxmox_client::Error;

/// Why PVE could not be asked, or what it answered instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Failure {
    /// Stable code.
    pub code: &'static str,
    /// What happened, and what to do.
    pub detail: String,
}

impl Failure {
    /// A failure with these words.
    pub fn new(code: &'static str, detail: impl Into<String>) -> Failure {
        Failure {
            code,
            detail: detail.into(),
        }
    }

    /// Whether asking the same node more would only take more time.
    pub fn is_of_the_node(&self) -> bool {
        matches!(
            self.code,
            "node_down" | "pve_slow" | "pve_unreachable" | "pve_no_answer" | "certificate_changed" | "pve_tls"
        )
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let said = error.to_string();
        match error {
            Error::Invalid { .. } => Failure::new("pve_refused", said),
            Error::NotSent { reason, .. } => Failure::new(
                "pve_unreachable",
                format!(
                    "No address of the cluster takes a connection ({reason}). Is the address right, the node on, and port 8006 open from here?"
                ),
            ),
            Error::Unknown { endpoint, reason, .. } => Failure::new(
                "pve_no_answer",
                format!(
                    "{endpoint} took the request and broke the connection ({reason}). Look at the node's pveproxy log, then try again."
                ),
            ),
            Error::Rejected { status, message, .. } => {
                Failure::new("pve_refused", format!("PVE refused with status {status}: {message}"))
            }
            Error::Denied {
                path,
                privilege,
                message,
                ..
            } => Failure::new(
                "missing_right",
                match (privilege, path) {
                    (Some(privilege), Some(path)) => format!(
                        "The token lacks {privilege} on {path}. Give it a role that has it; the connection test prints the pveum lines."
                    ),
                    _ => format!("PVE does not allow it ({message}). The connection test names the missing right."),
                },
            ),
            Error::Unauthenticated { endpoint, message } => Failure::new(
                "token_refused",
                format!(
                    "{endpoint} refuses the token ({message}). Is the id right, the secret complete, the token neither expired nor removed?"
                ),
            ),
            Error::NotImplemented { message, .. } => Failure::new(
                "pve_lacks_call",
                format!("This PVE lacks a call that Muster needs ({message}). PVE 8 and 9 have it."),
            ),
            Error::NodeUnreachable {
                node, status, message, ..
            } => Failure::new(
                "node_down",
                format!(
                    "{node} does not answer its cluster ({status} {message}). Is it on, and does its network work?"
                ),
            ),
            Error::TlsMismatch {
                endpoint,
                expected,
                got,
            } => {
                let trusted = expected.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                Failure::new(
                    "certificate_changed",
                    format!(
                        "{endpoint} shows the certificate {got}, trusted is {trusted}. If you renewed it, compare the fingerprint in the node's own web interface (System, Certificates) and accept the new one; if not, somebody may be between Muster and the node."
                    ),
                )
            }
            Error::Tls { endpoint, reason } => Failure::new(
                "pve_tls",
                format!(
                    "No trusted connection to {endpoint}: {reason}. Pin its certificate, or give the cluster's own authority."
                ),
            ),
            Error::TimedOut { after, .. } => Failure::new(
                "pve_slow",
                format!(
                    "PVE did not answer within {} s. Is the node overloaded, or a storage hanging?",
                    after.as_secs()
                ),
            ),
            Error::TooLarge { limit, .. } => Failure::new(
                "pve_answer_too_large",
                format!(
                    "The answer is larger than {} MiB. Is the address really that of PVE?",
                    limit / (1 << 20)
                ),
            ),
            Error::Decode { path, reason, .. } => Failure::new(
                "pve_answer_unreadable",
                format!(
                    "The answer to {path} makes no sense ({reason}). Is the address really that of PVE, without a portal or proxy that answers in its place?"
                ),
            ),
            other => Failure::new("pve_refused", other.to_string()),
        }
    }
}
