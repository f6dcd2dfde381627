//! The lines that a person pastes.

use super::{UnsafeText, safe};

/// One guest in the line for a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeGuest {
    /// The guest's number on its cluster.
    pub vmid: u32,
    /// Its one-time token.
    pub token: String,
}

/// The line to paste into a guest's root shell: fetches the script, compares it with `sha256` and runs it with `token`.
pub fn guest_line(script_url: &str, sha256: &str, token: &str) -> Result<String, UnsafeText> {
    line(script_url, sha256, safe("token", token)?)
}

/// The line to paste into the root shell of a PVE node: the same for several of its containers. Errors when a token is not
/// plain text.
pub fn node_line(script_url: &str, sha256: &str, guests: &[NodeGuest]) -> Result<String, UnsafeText> {
    let mut words = Vec::new();
    for guest in guests {
        words.push(format!("{}={}", guest.vmid, safe("token", &guest.token)?));
    }
    line(script_url, sha256, &words.join(" "))
}

/// The line that takes the agent out of a guest again. It works without Muster being reachable.
pub fn uninstall_line() -> String {
    format!("sh -c '{}'", UNINSTALL.trim_end())
}

/// The commands of [`uninstall_line`]: one line of shell without single quotes.
pub(super) const UNINSTALL: &str = include_str!("uninstall.sh");

/// `sh -c` makes the line work under every login shell. `-k` and `--no-check-certificate` are right here: the checksum
/// decides, and many containers have no root certificates.
fn line(url: &str, sha256: &str, arguments: &str) -> Result<String, UnsafeText> {
    let template = include_str!("line.sh");
    let text: Vec<&str> = template.lines().map(str::trim).collect();
    Ok(format!("sh -c '{}'", text.join(" "))
        .replace("@URL@", safe("script URL", url)?)
        .replace("@SHA256@", safe("script checksum", sha256)?)
        .replace("@ARGUMENTS@", arguments))
}
