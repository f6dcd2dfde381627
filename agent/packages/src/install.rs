//! Bringing an agent into a guest: the script that installs it, the line to paste that fetches and checks that script, and
//! the same for all guests of a node at once.
//!
//! Trust runs from the dashboard downwards: the pasted line holds the script's SHA-256, the script holds the SHA-256 of the
//! agent and the server's key. So nothing depends on the guest having root certificates or on the path between. The
//! one-time token is an argument; it stands in no URL and in no script.

mod guest;
mod line;
mod node;
mod preflight;

use sha2::{Digest, Sha256};
use thiserror::Error;

pub use guest::guest_script;
pub use line::{NodeGuest, guest_line, node_line, uninstall_line};
pub use node::node_script;
pub use preflight::{Host, preflight_script, read_preflight};

/// What the install script of a guest needs to know; nothing in it is secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestInstall {
    /// Where agents reach Muster, e.g. `https://muster.example.org:8443`; without a slash at the end.
    pub agent_url: String,
    /// The server's Ed25519 public key, base64 of 32 bytes.
    pub server_key: String,
    /// SHA-256 of the certificate to expect at `agent_url`, hex: for a Muster that serves a certificate of its own making.
    /// Absent, the agent wants a certificate that the usual authorities vouch for.
    pub certificate: Option<String>,
    /// The agent program, one per machine architecture.
    pub agents: Vec<AgentDownload>,
}

/// One build of the agent program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentDownload {
    /// Architecture as `uname -m` says it: `x86_64`, `aarch64`.
    pub arch: String,
    /// Where it is, e.g. `https://muster.example.org:8443/agent/download/x86_64`.
    pub url: String,
    /// SHA-256 of its bytes, hex.
    pub sha256: String,
}

/// A script and the checksum by which a pasted line recognises it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// POSIX sh.
    pub text: String,
    /// SHA-256 of `text`, hex.
    pub sha256: String,
}

/// A value that cannot stand in a shell script. The value itself is not in the error, because it may be secret.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the {what} is empty or holds characters that must not stand in a shell script")]
pub struct UnsafeText {
    /// What it is.
    pub what: &'static str,
}

impl Script {
    fn new(text: String) -> Self {
        let sha256 = hex::encode(Sha256::digest(&text));
        Self { text, sha256 }
    }
}

/// The value, when it is made of letters, digits and the few signs that URLs, base64 and hex need, none of which means
/// anything to a shell between single or double quotes.
fn safe<'a>(what: &'static str, value: &'a str) -> Result<&'a str, UnsafeText> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/+=@%?&~,[]".contains(c);
    if !value.is_empty() && value.chars().all(plain) {
        return Ok(value);
    }
    Err(UnsafeText { what })
}
