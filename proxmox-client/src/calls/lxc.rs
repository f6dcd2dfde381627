//! Calls about containers.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use std::time::Duration;

use crate::{Client, ConfigView, GuestStatus, Interface, Result, Upid, catalogue, perl};

/// A container's configuration. What is missing has PVE's default.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[non_exhaustive]
pub struct LxcConfig {
    /// The host name.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub hostname: Option<String>,
    /// The distribution that PVE set it up for, such as `debian`; `unmanaged` for none.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub ostype: Option<String>,
    /// Such as `amd64`.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub arch: Option<String>,
    /// The CPUs it sees; all of the node when missing.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub cores: Option<u32>,
    /// Memory in MiB; 512 when missing.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub memory: Option<u64>,
    /// Swap in MiB; 512 when missing.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub swap: Option<u64>,
    /// Whether its root is nobody on the node.
    #[serde(default, deserialize_with = "perl::flag")]
    pub unprivileged: bool,
    /// What its console shows: `tty` (a login), `console` or `shell`; see [`LxcConfig::console_mode`].
    #[serde(default, deserialize_with = "perl::maybe")]
    pub cmode: Option<String>,
    /// The number of its terminals; 2 when missing.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub tty: Option<u32>,
    /// Features such as `nesting=1`, joined by commas.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub features: Option<String>,
    /// Tags, joined by semicolons.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub tags: Option<String>,
    /// The notes of its owner; PVE ends them with a newline.
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
    /// The volume of its root file system with its options.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub rootfs: Option<String>,
    /// The SHA-1 of the configuration file.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub digest: Option<String>,
    /// Everything else, such as `net0`, `mp0`, `lxc`.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// What a container's console shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsoleMode {
    /// A login; PVE's default.
    Tty,
    /// The output of its first process.
    Console,
    /// A shell of its root, without a login.
    Shell,
}

impl fmt::Display for ConsoleMode {
    /// The word that PVE uses.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tty => "tty",
            Self::Console => "console",
            Self::Shell => "shell",
        })
    }
}

impl LxcConfig {
    /// What its console shows, with PVE's default filled in.
    pub fn console_mode(&self) -> &str {
        self.cmode.as_deref().unwrap_or("tty")
    }

    /// Its mount points beside the root file system, as (`mp0`, volume or path with options).
    pub fn mount_points(&self) -> impl Iterator<Item = (&str, &str)> {
        self.numbered("mp")
    }

    /// Its network interfaces, as (`net0`, options).
    pub fn networks(&self) -> impl Iterator<Item = (&str, &str)> {
        self.numbered("net")
    }

    fn numbered(&self, prefix: &str) -> impl Iterator<Item = (&str, &str)> {
        self.other.iter().filter_map(move |(key, value)| {
            let number = key.strip_prefix(prefix)?;
            let is_number = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
            is_number.then_some((key.as_str(), value.as_str()?))
        })
    }
}

impl Client {
    /// The containers of a node that the token has `VM.Audit` on. The node asks each of them, so this is slow;
    /// [`Client::resources`] knows the same within 10 s.
    pub async fn lxc_list(&self, node: &str) -> Result<Vec<GuestStatus>> {
        self.fetch_or_default(catalogue::LXC_LIST.at(&[node])?).await
    }

    /// A container's configuration. Needs `VM.Audit` on `/vms/{vmid}`, as do all calls here.
    pub async fn lxc_config(&self, node: &str, vmid: u32, view: ConfigView) -> Result<LxcConfig> {
        let request = catalogue::LXC_CONFIG.at(&[node, &vmid.to_string()])?;
        self.fetch(match view {
            ConfigView::Current => request.with("current", 1),
            ConfigView::Pending => request,
        })
        .await
    }

    /// A container's state.
    pub async fn lxc_status(&self, node: &str, vmid: u32) -> Result<GuestStatus> {
        self.fetch(catalogue::LXC_STATUS.at(&[node, &vmid.to_string()])?).await
    }

    /// The network interfaces inside a container; nothing when it does not run.
    pub async fn lxc_interfaces(&self, node: &str, vmid: u32) -> Result<Option<Vec<Interface>>> {
        self.fetch_or_default(catalogue::LXC_INTERFACES.at(&[node, &vmid.to_string()])?)
            .await
    }

    /// Sets what a container's console shows. Needs `VM.Config.Options` on `/vms/{vmid}`.
    ///
    /// For a running container this stays pending until it restarts, without an error: compare
    /// [`ConfigView::Current`] with [`ConfigView::Pending`], and see [`Client::lxc_reboot`].
    pub async fn lxc_set_console_mode(&self, node: &str, vmid: u32, mode: ConsoleMode) -> Result<()> {
        let request = catalogue::LXC_SET_CONFIG.at(&[node, &vmid.to_string()])?;
        self.order(request.with("cmode", mode)).await
    }

    /// Takes the console's mode out of the configuration, so that it has PVE's default again; pending like
    /// [`Client::lxc_set_console_mode`]. Needs `VM.Config.Options` on `/vms/{vmid}`.
    pub async fn lxc_unset_console_mode(&self, node: &str, vmid: u32) -> Result<()> {
        let request = catalogue::LXC_SET_CONFIG.at(&[node, &vmid.to_string()])?;
        self.order(request.with("delete", "cmode")).await
    }

    /// Takes back a pending change of the console's mode. Needs `VM.Config.Options` on `/vms/{vmid}`.
    pub async fn lxc_revert_console_mode(&self, node: &str, vmid: u32) -> Result<()> {
        let request = catalogue::LXC_SET_CONFIG.at(&[node, &vmid.to_string()])?;
        self.order(request.with("revert", "cmode")).await
    }

    /// Restarts a container, which puts its pending changes in force. Needs `VM.PowerMgmt` on `/vms/{vmid}`.
    ///
    /// The container has `shutdown` (in whole seconds) to stop by itself, else it is stopped hard. Look at its lock
    /// first: PVE shuts a locked container down and then fails to start it.
    pub async fn lxc_reboot(&self, node: &str, vmid: u32, shutdown: Duration) -> Result<Upid> {
        let request = catalogue::LXC_REBOOT.at(&[node, &vmid.to_string()])?;
        self.fetch(request.with("timeout", shutdown.as_secs())).await
    }

    /// Runs a command with its arguments in a container, as a task whose log is the output.
    ///
    /// No Proxmox VE has this call up to 9.2: expect [`Error::NotImplemented`](crate::Error::NotImplemented).
    pub async fn lxc_exec<S: AsRef<str>>(
        &self,
        node: &str,
        vmid: u32,
        command: impl IntoIterator<Item = S>,
    ) -> Result<Upid> {
        let request = catalogue::LXC_EXEC.at(&[node, &vmid.to_string()])?;
        let request = command
            .into_iter()
            .fold(request, |request, word| request.with("command", word.as_ref()));
        self.fetch(request).await
    }
}
