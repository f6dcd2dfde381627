//! The script that installs the agent in one guest.

use super::line::UNINSTALL;
use super::{GuestInstall, Script, UnsafeText, safe};

/// The install script: POSIX sh, run as root with the one-time token as its argument; see the head of the script for its
/// other arguments. Running it again repairs an installation. Errors when a value cannot stand in a shell script.
pub fn guest_script(install: &GuestInstall) -> Result<Script, UnsafeText> {
    Ok(Script::new(guest_text(install)?))
}

pub(super) fn guest_text(install: &GuestInstall) -> Result<String, UnsafeText> {
    let certificate = install
        .certificate
        .as_deref()
        .map_or(Ok(""), |value| safe("certificate checksum", value))?;
    Ok(include_str!("guest.sh")
        .replace("@FETCH@", &fetch_text(install)?)
        .replace(
            "@SUMS@",
            &arch_cases(install, |agent| format!("wanted={}", agent.sha256))?,
        )
        .replace("@UNINSTALL@", UNINSTALL.trim_end())
        .replace("@AGENT_URL@", safe("agent URL", &install.agent_url)?)
        .replace("@SERVER_KEY@", safe("server key", &install.server_key)?)
        .replace("@CERTIFICATE@", certificate))
}

/// The shell functions that fetch and check the agent; they use the variable `agent_url`.
pub(super) fn fetch_text(install: &GuestInstall) -> Result<String, UnsafeText> {
    let cases = arch_cases(install, |agent| format!("url='{}' sum={}", agent.url, agent.sha256))?;
    Ok(include_str!("fetch.sh").replace("@AGENTS@", &cases))
}

fn arch_cases(install: &GuestInstall, assign: impl Fn(&super::AgentDownload) -> String) -> Result<String, UnsafeText> {
    let mut cases = Vec::new();
    for agent in &install.agents {
        safe("agent URL", &agent.url)?;
        safe("agent checksum", &agent.sha256)?;
        cases.push(format!(
            "    {}) {} ;;",
            safe("architecture", &agent.arch)?,
            assign(agent)
        ));
    }
    Ok(cases.join("\n"))
}
