//! Calls about virtual machines.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::answer::undecodable;
use crate::catalogue::{self, Request};
use crate::{Client, ConfigView, Error, GuestStatus, Interface, Result, perl};

/// A virtual machine's configuration. What is missing has PVE's default.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[non_exhaustive]
pub struct QemuConfig {
    /// Its name.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub name: Option<String>,
    /// The kind of operating system it is set up for, such as `l26` (Linux) or `win11`.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub ostype: Option<String>,
    /// The guest agent's options, such as `1` or `enabled=1,type=virtio`; see [`QemuConfig::has_agent`].
    #[serde(default, deserialize_with = "perl::maybe")]
    pub agent: Option<String>,
    /// Cores per socket; 1 when missing.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub cores: Option<u32>,
    /// Sockets; 1 when missing.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub sockets: Option<u32>,
    /// Memory in MiB; newer PVE may write `current=2048`.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub memory: Option<String>,
    /// Tags, joined by semicolons.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub tags: Option<String>,
    /// The notes of its owner.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub description: Option<String>,
    /// Why it is locked.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub lock: Option<String>,
    /// Whether it is a template.
    #[serde(default, deserialize_with = "perl::flag")]
    pub template: bool,
    /// Whether it starts with its node.
    #[serde(default, deserialize_with = "perl::flag")]
    pub onboot: bool,
    /// Whether deleting it and its disks is refused.
    #[serde(default, deserialize_with = "perl::flag")]
    pub protection: bool,
    /// The SHA-1 of the configuration file.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub digest: Option<String>,
    /// Everything else, such as `net0` and `scsi0`.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

impl QemuConfig {
    /// Whether the guest agent is switched on in the configuration; it may still not run inside.
    pub fn has_agent(&self) -> bool {
        let first = self
            .agent
            .as_deref()
            .unwrap_or_default()
            .split(',')
            .next()
            .unwrap_or_default();
        matches!(
            first.strip_prefix("enabled=").unwrap_or(first),
            "1" | "on" | "yes" | "true"
        )
    }
}

/// The operating system of a virtual machine, as its guest agent tells it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct OsInfo {
    /// Such as `debian` or `mswindows`.
    pub id: Option<String>,
    /// Such as `Debian GNU/Linux`.
    pub name: Option<String>,
    /// Such as `Debian GNU/Linux 13 (trixie)`.
    pub pretty_name: Option<String>,
    /// Such as `13 (trixie)`.
    pub version: Option<String>,
    /// Such as `13`.
    pub version_id: Option<String>,
    /// The running kernel.
    pub kernel_release: Option<String>,
    /// The processor, such as `x86_64`.
    pub machine: Option<String>,
    /// Such as `server`.
    pub variant_id: Option<String>,
}

/// PVE hands on what the agent said.
#[derive(Deserialize)]
struct FromAgent {
    result: Value,
}

impl Client {
    /// The virtual machines of a node that the token has `VM.Audit` on.
    pub async fn qemu_list(&self, node: &str) -> Result<Vec<GuestStatus>> {
        self.fetch_or_default(catalogue::QEMU_LIST.at(&[node])?).await
    }

    /// A virtual machine's configuration. Needs `VM.Audit` on `/vms/{vmid}`.
    pub async fn qemu_config(&self, node: &str, vmid: u32, view: ConfigView) -> Result<QemuConfig> {
        let request = catalogue::QEMU_CONFIG.at(&[node, &vmid.to_string()])?;
        self.fetch(match view {
            ConfigView::Current => request.with("current", 1),
            ConfigView::Pending => request,
        })
        .await
    }

    /// The network interfaces inside a virtual machine, from its guest agent.
    ///
    /// Needs `VM.GuestAgent.Audit` on PVE 9, `VM.Monitor` on PVE 8. `Rejected` when the machine does not run or its
    /// agent does not answer.
    pub async fn qemu_interfaces(&self, node: &str, vmid: u32) -> Result<Vec<Interface>> {
        self.ask_agent(catalogue::QEMU_INTERFACES.at(&[node, &vmid.to_string()])?)
            .await
    }

    /// The operating system of a virtual machine, from its guest agent; rights and errors as for its interfaces.
    pub async fn qemu_osinfo(&self, node: &str, vmid: u32) -> Result<OsInfo> {
        self.ask_agent(catalogue::QEMU_OSINFO.at(&[node, &vmid.to_string()])?)
            .await
    }

    async fn ask_agent<T: DeserializeOwned>(&self, request: Request) -> Result<T> {
        let (call, path) = (request.call, request.path.clone());
        let FromAgent { result } = self.fetch(request).await?;
        // A refusal of the agent itself comes with status 200.
        if let Some(refusal) = result.get("error") {
            let message = refusal
                .get("desc")
                .and_then(Value::as_str)
                .unwrap_or("the guest agent refused");
            return Err(Error::Rejected {
                call: call.name,
                status: 200,
                message: message.to_owned(),
                fields: BTreeMap::new(),
            });
        }
        serde_json::from_value(result).map_err(|e| undecodable(call, &path, &e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_agent_is_on_in_every_form() {
        for (agent, on) in [
            (Some("1"), true),
            (Some("enabled=1,fstrim_cloned_disks=1"), true),
            (Some("1,type=virtio"), true),
            (Some("0"), false),
            (Some("enabled=0"), false),
            (None, false),
        ] {
            let config = QemuConfig {
                agent: agent.map(str::to_owned),
                ..QemuConfig::default()
            };
            assert_eq!(config.has_agent(), on, "{agent:?}");
        }
    }
}
