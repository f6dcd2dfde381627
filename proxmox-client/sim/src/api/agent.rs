//! Calls that Proxmox VE passes on to the QEMU guest agent in a virtual machine. Whatever needs the system inside is
//! left to the surroundings of the world.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::error::Late;
use super::guest::{link_local, split};
use super::{ApiError, Call, Errand};
use crate::qga::Wish;
use crate::world::{Guest, Os};

/// How much of a file is read unless more is asked for.
const READ: u64 = 16 << 20;

impl Call<'_> {
    /// The machine in the path, if its agent answers.
    fn with_agent(&self) -> Result<&Guest, ApiError> {
        let guest = self.guest()?;
        if !guest.has_agent() {
            return Err(ApiError::failed("No QEMU guest agent configured"));
        }
        if !guest.is_running() {
            return Err(ApiError::failed(format!("VM {} is not running", guest.vmid)));
        }
        if guest.paused || !guest.agent_runs {
            return Err(ApiError::failed("QEMU guest agent is not running").late(Late::Agent));
        }
        Ok(guest)
    }

    /// Leaves the answer to the agent.
    fn ask_agent(&mut self, wish: Wish) -> Result<Value, ApiError> {
        let vmid = self.with_agent()?.vmid;
        self.errand = Some(Errand::Agent { vmid, wish });
        Ok(Value::Null)
    }
}

/// Starts a program. Several `command` are its arguments; no shell reads them.
pub(super) fn exec(call: &mut Call<'_>) -> Result<Value, ApiError> {
    let command = call.params.all("command").to_vec();
    let input = bytes(call.params.text("input-data").unwrap_or_default())?;
    call.ask_agent(Wish::Exec { command, input })
}

/// What has become of a program. Its end is told once.
pub(super) fn exec_status(call: &mut Call<'_>) -> Result<Value, ApiError> {
    let pid = call.params.integer("pid").and_then(|pid| u64::try_from(pid).ok());
    call.ask_agent(Wish::Status {
        pid: pid.unwrap_or_default(),
    })
}

pub(super) fn file_read(call: &mut Call<'_>) -> Result<Value, ApiError> {
    let file = call.params.text("file").unwrap_or_default().to_owned();
    let most = call.params.integer("count").and_then(|count| u64::try_from(count).ok());
    let decoded = call.params.text("decode") != Some("0");
    call.ask_agent(Wish::Read {
        file,
        most: most.unwrap_or(READ),
        decoded,
    })
}

/// Replaces a file's contents, which are given as characters below 256, or with `encode=0` in base64.
pub(super) fn file_write(call: &mut Call<'_>) -> Result<Value, ApiError> {
    let file = call.params.text("file").unwrap_or_default().to_owned();
    let text = call.params.text("content").unwrap_or_default();
    let content = match call.params.text("encode") {
        Some("0") => STANDARD
            .decode(text)
            .map_err(|_| ApiError::failed("Agent error: Invalid base64 data"))?,
        _ => bytes(text)?,
    };
    call.ask_agent(Wish::Write { file, content })
}

pub(super) fn ping(call: &mut Call<'_>) -> Result<Value, ApiError> {
    call.with_agent()?;
    Ok(json!({ "result": {} }))
}

/// The agent's version and commands, with real booleans.
pub(super) fn info(call: &mut Call<'_>) -> Result<Value, ApiError> {
    call.with_agent()?;
    let commands = [
        "guest-ping",
        "guest-info",
        "guest-exec",
        "guest-exec-status",
        "guest-file-open",
        "guest-file-read",
        "guest-file-write",
        "guest-file-close",
        "guest-get-host-name",
        "guest-get-osinfo",
        "guest-network-get-interfaces",
    ];
    let commands = commands.map(|name| json!({ "name": name, "enabled": true, "success-response": true }));
    Ok(json!({ "result": { "version": "7.2.19", "supported_commands": commands } }))
}

pub(super) fn host_name(call: &mut Call<'_>) -> Result<Value, ApiError> {
    Ok(json!({ "result": { "host-name": call.with_agent()?.name() } }))
}

/// Addresses of the machine.
pub(super) fn interfaces(call: &mut Call<'_>) -> Result<Value, ApiError> {
    let guest = call.with_agent()?;
    let hardware = guest.hardware_address().to_lowercase();
    let (address, prefix) = split(&guest.address);
    let prefix: u8 = prefix.parse().unwrap_or(24);
    let addresses = json!([
        { "ip-address": address, "ip-address-type": "ipv4", "prefix": prefix },
        { "ip-address": link_local(&hardware), "ip-address-type": "ipv6", "prefix": 64 },
    ]);
    let loopback = json!([{ "ip-address": "127.0.0.1", "ip-address-type": "ipv4", "prefix": 8 }]);
    Ok(json!({ "result": [
        { "name": "lo", "hardware-address": "00:00:00:00:00:00", "ip-addresses": loopback },
        { "name": "ens18", "hardware-address": hardware, "ip-addresses": addresses },
    ] }))
}

pub(super) fn osinfo(call: &mut Call<'_>) -> Result<Value, ApiError> {
    let (id, name, version, version_id) = match call.with_agent()?.os {
        Os::Debian => ("debian", "Debian GNU/Linux", "12 (bookworm)", "12"),
        Os::Ubuntu => ("ubuntu", "Ubuntu", "24.04.3 LTS (Noble Numbat)", "24.04"),
        Os::Alpine => ("alpine", "Alpine Linux", "3.22.1", "3.22.1"),
        Os::Fedora => ("fedora", "Fedora Linux", "42 (Server Edition)", "42"),
        Os::Arch => ("arch", "Arch Linux", "rolling", "rolling"),
        Os::OpenSuse => ("opensuse-leap", "openSUSE Leap", "15.6", "15.6"),
    };
    Ok(json!({ "result": {
        "id": id, "name": name, "pretty-name": format!("{name} {version}"), "version": version,
        "version-id": version_id, "kernel-release": "6.1.0-40-amd64", "kernel-version": "#1 SMP PREEMPT_DYNAMIC",
        "machine": "x86_64",
    } }))
}

/// Perl makes bytes of characters below 256, and fails for others.
fn bytes(text: &str) -> Result<Vec<u8>, ApiError> {
    let bytes: Result<Vec<u8>, _> = text.chars().map(u8::try_from).collect();
    bytes.map_err(|_| {
        ApiError::failed("Wide character in subroutine entry at /usr/share/perl5/PVE/QemuServer/Agent.pm line 196.")
    })
}
