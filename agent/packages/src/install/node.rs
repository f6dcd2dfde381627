//! The script that installs the agent in containers of a PVE node, from the node's own shell.

use super::guest::{fetch_text, guest_text};
use super::{GuestInstall, Script, UnsafeText, safe};

/// The script for a PVE node: runs the guest script through `pct exec` for every `VMID=TOKEN` among its arguments. It is
/// handed in on standard input, so that a container needs no HTTP client. Errors when a value cannot stand in a shell script.
pub fn node_script(install: &GuestInstall) -> Result<Script, UnsafeText> {
    let text = include_str!("node.sh")
        .replace("@FETCH@", &fetch_text(install)?)
        .replace("@AGENT_URL@", safe("agent URL", &install.agent_url)?)
        .replace("@GUEST_SCRIPT@", &guest_text(install)?);
    Ok(Script::new(text))
}
