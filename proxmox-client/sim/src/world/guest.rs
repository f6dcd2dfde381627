//! Containers and virtual machines.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Figures, Millis, Mishaps, Snapshots};

/// Container or virtual machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// An LXC container.
    Lxc,
    /// A QEMU virtual machine.
    Qemu,
}

impl Kind {
    /// As paths and `type` fields say it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Kind::Lxc => "lxc",
            Kind::Qemu => "qemu",
        }
    }

    /// As messages say it.
    pub(crate) fn short(self) -> &'static str {
        match self {
            Kind::Lxc => "CT",
            Kind::Qemu => "VM",
        }
    }

    /// Its directory under `nodes/NODE/` of the cluster file system.
    pub(crate) fn directory(self) -> &'static str {
        match self {
            Kind::Lxc => "lxc",
            Kind::Qemu => "qemu-server",
        }
    }

    /// How the types of its tasks begin.
    pub(crate) fn task_prefix(self) -> &'static str {
        match self {
            Kind::Lxc => "vz",
            Kind::Qemu => "qm",
        }
    }
}

/// The system inside a guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Os {
    /// Debian 12.
    Debian,
    /// Ubuntu 24.04.
    Ubuntu,
    /// Alpine 3.22.
    Alpine,
    /// Fedora 42.
    Fedora,
    /// Arch Linux.
    Arch,
    /// openSUSE Leap 15.6.
    OpenSuse,
}

impl Os {
    /// The value of `ostype` in a container's configuration.
    pub(crate) fn ostype(self) -> &'static str {
        match self {
            Os::Debian => "debian",
            Os::Ubuntu => "ubuntu",
            Os::Alpine => "alpine",
            Os::Fedora => "fedora",
            Os::Arch => "archlinux",
            Os::OpenSuse => "opensuse",
        }
    }
}

/// What root has as shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shell {
    /// bash.
    Bash,
    /// dash, which prints a short prompt and edits no lines.
    Dash,
    /// The shell of busybox.
    Ash,
}

/// Whether a guest runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Run {
    /// Off.
    Stopped,
    /// On since a time; a container that is just starting has no process id yet.
    Running { since: Millis, pid: Option<u32> },
}

/// A guest's configuration with what waits for its next start.
#[derive(Debug, Clone, Default)]
pub(crate) struct Config {
    /// In force.
    pub(crate) active: BTreeMap<String, Value>,
    /// Not yet in force; `None` is a deletion.
    pub(crate) pending: BTreeMap<String, Option<Value>>,
}

/// What pvestatd last told the cluster about a guest.
#[derive(Debug, Clone)]
pub(crate) struct Published {
    /// When it was told.
    pub(crate) at: Millis,
    /// The state then.
    pub(crate) run: Run,
    /// The word for it.
    pub(crate) status: &'static str,
    /// The name then.
    pub(crate) name: String,
}

/// A guest of a cluster.
#[derive(Debug, Clone)]
pub(crate) struct Guest {
    pub(crate) vmid: u32,
    pub(crate) kind: Kind,
    pub(crate) node: String,
    pub(crate) os: Os,
    pub(crate) shell: Shell,
    pub(crate) config: Config,
    pub(crate) snapshots: Snapshots,
    /// Whether its file system is marked as in use, which holds up its next start.
    pub(crate) mount_waits: bool,
    pub(crate) mishaps: Mishaps,
    pub(crate) run: Run,
    /// A virtual machine whose processor stands still.
    pub(crate) paused: bool,
    /// Whether the QEMU guest agent inside runs, should there be one.
    pub(crate) agent_runs: bool,
    pub(crate) published: Option<Published>,
    /// IPv4 address with prefix length; made up, nothing answers there.
    pub(crate) address: String,
    /// Whether a backup job covers it.
    pub(crate) backed_up: bool,
    /// Whether what runs inside may use the network of this machine.
    pub(crate) networked: bool,
    pub(crate) figures: Figures,
}

impl Guest {
    /// Its name as lists show it.
    pub(crate) fn name(&self) -> String {
        let key = match self.kind {
            Kind::Lxc => "hostname",
            Kind::Qemu => "name",
        };
        match self.config.active.get(key).and_then(Value::as_str) {
            Some(name) => name.to_owned(),
            None => format!("{}{}", self.kind.short(), self.vmid),
        }
    }

    /// Whether it is on.
    pub(crate) fn is_running(&self) -> bool {
        self.run != Run::Stopped
    }

    /// Whether its configuration says that there is a QEMU guest agent inside.
    pub(crate) fn has_agent(&self) -> bool {
        let agent = self.config.active.get("agent").and_then(Value::as_str);
        agent.is_some_and(|agent| agent.starts_with('1'))
    }

    /// `running` or `stopped`. A container on its way down still counts as running.
    pub(crate) fn status(&self) -> &'static str {
        if self.is_running() { "running" } else { "stopped" }
    }

    /// What QEMU says: finer than [`Guest::status`], and what the cluster is told of virtual machines.
    pub(crate) fn qemu_status(&self) -> &'static str {
        if self.is_running() && self.paused {
            "paused"
        } else {
            self.status()
        }
    }

    /// `backup`, `snapshot` … while an operation holds it.
    pub(crate) fn lock(&self) -> Option<&str> {
        self.config.active.get("lock").and_then(Value::as_str)
    }

    /// A number from its configuration, or `default`.
    pub(crate) fn number(&self, key: &str, default: u64) -> u64 {
        let value = self.config.active.get(key);
        let number = value.and_then(|value| value.as_u64().or_else(|| value.as_str()?.parse().ok()));
        number.unwrap_or(default)
    }

    /// Size of its first disk in bytes.
    pub(crate) fn disk_size(&self) -> u64 {
        let disk = ["rootfs", "scsi0", "virtio0"]
            .iter()
            .find_map(|key| self.config.active.get(*key)?.as_str());
        let size = disk.and_then(|disk| disk.split(',').find_map(|part| part.strip_prefix("size=")));
        let gigabytes = size.and_then(|size| size.strip_suffix('G')?.parse::<u64>().ok());
        gigabytes.unwrap_or(0) << 30
    }

    /// Memory in bytes.
    pub(crate) fn memory(&self) -> u64 {
        self.number("memory", 512) << 20
    }

    /// The address of its network card.
    pub(crate) fn hardware_address(&self) -> String {
        let bits = self.figures.bits(7);
        format!(
            "BC:24:11:{:02X}:{:02X}:{:02X}",
            bits & 0xff,
            (bits >> 8) & 0xff,
            (bits >> 16) & 0xff
        )
    }
}

impl Config {
    /// Sets a value in force.
    pub(crate) fn set(&mut self, key: &str, value: Value) {
        self.active.insert(key.to_owned(), value);
    }

    /// Puts everything pending in force, as a stop and start does.
    pub(crate) fn apply_pending(&mut self) {
        for (key, value) in std::mem::take(&mut self.pending) {
            match value {
                Some(value) => drop(self.active.insert(key, value)),
                None => drop(self.active.remove(&key)),
            }
        }
    }

    /// What is in force, with the digest.
    pub(crate) fn current(&self) -> BTreeMap<String, Value> {
        let mut shown = self.active.clone();
        shown.insert("digest".to_owned(), json!(self.digest()));
        shown
    }

    /// What will be in force after the next start, with the digest.
    pub(crate) fn with_pending(&self) -> BTreeMap<String, Value> {
        let mut later = self.clone();
        let digest = json!(self.digest());
        later.apply_pending();
        later.active.insert("digest".to_owned(), digest);
        later.active
    }

    /// Changes whenever anything in it does: 40 hex digits.
    pub(crate) fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for (key, value) in &self.active {
            hash.update(format!("{key}: {value}\n"));
        }
        for (key, value) in &self.pending {
            hash.update(format!("[pve:pending] {key}: {value:?}\n"));
        }
        hex::encode(&hash.finalize()[..20])
    }
}
