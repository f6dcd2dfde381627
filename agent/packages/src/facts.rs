//! Verb facts: what a host is. Reads a few files and asks `uname`; changes nothing.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::frame::{self, Frame, FrameError};

/// What a host says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Host name.
    pub hostname: String,
    /// `ID` of os-release, e.g. `debian`; empty when there is none.
    pub os_id: String,
    /// `PRETTY_NAME` of os-release.
    pub os_name: String,
    /// `VERSION_ID` of os-release; rolling distributions have none.
    pub os_version: String,
    /// Machine name as `uname -m` says it, e.g. `x86_64`.
    pub arch: String,
    /// Kernel release.
    pub kernel: String,
    /// `systemd`, `openrc` or `other`.
    pub init: String,
    /// SHA-256 of the host's machine id, hex; absent when it has none. The id itself is private to the host.
    pub machine: Option<String>,
    /// The kernel's random id of this boot. Containers share the one of their node.
    pub boot: Option<String>,
}

/// The script of this verb.
pub fn script() -> String {
    frame::script("facts", include_str!("facts/facts.sh"))
}

/// Reads what the script printed. A file that the host does not have leaves its fields empty.
pub fn parse(output: &[u8]) -> Result<Facts, FrameError> {
    let frame = Frame::parse("facts", output)?;
    let text = |name| {
        frame
            .section(name)
            .map(|section| if section.exit == 0 { section.body.trim() } else { "" })
    };
    let os = text("os")?;
    Ok(Facts {
        hostname: text("hostname")?.to_owned(),
        os_id: os_field(os, "ID"),
        os_name: os_field(os, "PRETTY_NAME"),
        os_version: os_field(os, "VERSION_ID"),
        arch: text("arch")?.to_owned(),
        kernel: text("kernel")?.to_owned(),
        init: text("init")?.to_owned(),
        machine: present(text("machine")?).map(|id| hex::encode(Sha256::digest(id))),
        boot: present(text("boot")?).map(str::to_owned),
    })
}

fn present(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// One field of os-release: a shell assignment, in double, single or no quotes, with backslashes before special
/// characters.
fn os_field(os: &str, key: &str) -> String {
    let value = os
        .lines()
        .find_map(|line| line.trim().strip_prefix(key)?.strip_prefix('='))
        .unwrap_or_default();
    let quoted = ['"', '\'']
        .iter()
        .find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
    let mut field = String::new();
    let mut escaped = false;
    for character in quoted.unwrap_or(value).chars() {
        if character == '\\' && !escaped {
            escaped = true;
        } else {
            field.push(character);
            escaped = false;
        }
    }
    field
}
