//! Looking whether the agent can be installed in a guest, before anything is changed there.

use serde::{Deserialize, Serialize};

use super::{GuestInstall, UnsafeText, guest::fetch_text, safe};
use crate::frame::{self, Frame, FrameError};

/// What an installation needs to know of a guest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// As whom the script ran; 0 is root.
    pub uid: u32,
    /// Machine name as `uname -m` says it, e.g. `x86_64`.
    pub arch: String,
    /// `systemd`, `openrc` or `other`.
    pub init: String,
    /// The C library, e.g. `glibc 2.36`, `musl`.
    pub libc: String,
    /// Free KiB where the agent would stand; absent when `df` does not say.
    pub free_kib: Option<u64>,
    /// Whether there is a program that fetches files.
    pub fetches: bool,
    /// The version line of the agent that is there.
    pub present: Option<String>,
    /// Why the working folder cannot be made; absent when it was.
    pub work_problem: Option<String>,
    /// Whether Muster can be reached from there; absent when no program can try.
    pub reaches_muster: Option<bool>,
}

/// The script that looks. It makes the folder `work`, for root alone, after removing one that is left of an earlier try.
/// Errors when a value cannot stand in a shell script.
pub fn preflight_script(install: &GuestInstall, work: &str) -> Result<String, UnsafeText> {
    let text = include_str!("preflight.sh")
        .replace("@AGENT_URL@", safe("agent URL", &install.agent_url)?)
        .replace("@WORK@", safe("working folder", work)?);
    let text = format!("{}\n{text}", fetch_text(install)?);
    Ok(frame::script("preflight", &text))
}

/// Reads what the script printed.
pub fn read_preflight(output: &[u8]) -> Result<Host, FrameError> {
    let frame = Frame::parse("preflight", output)?;
    let text = |name| frame.section(name).map(|section| section.body.trim().to_owned());
    let work = frame.section("work")?;
    Ok(Host {
        // What is no number is not root.
        uid: text("uid")?.parse().unwrap_or(u32::MAX),
        arch: text("arch")?,
        init: text("init")?,
        libc: text("libc")?,
        free_kib: text("free")?.parse().ok(),
        fetches: text("client")? != "none",
        present: Some(text("present")?).filter(|version| version != "none"),
        work_problem: (work.exit != 0).then(|| work.body.trim().to_owned()),
        reaches_muster: match text("reach")?.as_str() {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        },
    })
}
