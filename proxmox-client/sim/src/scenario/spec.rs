//! The words in which a scenario is written.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::world::{Kind, Os, Packages, Release, Shell};

/// A cluster to be made.
#[derive(Debug, Clone)]
pub struct ClusterSpec {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) release: Release,
    pub(crate) packages: Packages,
    pub(crate) standalone: bool,
    pub(crate) demo_adds: bool,
    pub(crate) storages: bool,
    pub(crate) nodes: Vec<String>,
    pub(crate) guests: Vec<GuestSpec>,
}

impl ClusterSpec {
    /// A Proxmox VE 9 cluster without nodes. `name` is what Proxmox VE calls it, `title` what its owner does.
    pub fn new(name: &str, title: &str) -> ClusterSpec {
        ClusterSpec {
            name: name.to_owned(),
            title: title.to_owned(),
            release: Release::Pve9,
            packages: Release::Pve9.packages(),
            standalone: false,
            demo_adds: true,
            storages: true,
            nodes: Vec::new(),
            guests: Vec::new(),
        }
    }

    /// Of another release, with the packages that were recorded of it.
    pub fn release(self, release: Release) -> ClusterSpec {
        let packages = release.packages();
        ClusterSpec {
            release,
            packages,
            ..self
        }
    }

    /// With older or newer packages of its release.
    pub fn packages(self, packages: Packages) -> ClusterSpec {
        ClusterSpec { packages, ..self }
    }

    /// A single node that is in no cluster.
    pub fn standalone(self) -> ClusterSpec {
        ClusterSpec {
            standalone: true,
            ..self
        }
    }

    /// Left for the user of the demo to add.
    pub fn added_by_hand(self) -> ClusterSpec {
        ClusterSpec {
            demo_adds: false,
            ..self
        }
    }

    /// Its nodes; a guest names one of them.
    pub fn nodes<'a>(self, names: impl IntoIterator<Item = &'a str>) -> ClusterSpec {
        ClusterSpec {
            nodes: names.into_iter().map(str::to_owned).collect(),
            ..self
        }
    }

    /// Its guests.
    pub fn guests(self, guests: Vec<GuestSpec>) -> ClusterSpec {
        ClusterSpec { guests, ..self }
    }

    pub(crate) fn without_storages(self) -> ClusterSpec {
        ClusterSpec {
            storages: false,
            ..self
        }
    }
}

/// A guest to be made: a running, unprivileged container with 2 cores, 1 GiB of memory and 8 GiB of disk, unless said
/// otherwise.
#[derive(Debug, Clone)]
pub struct GuestSpec {
    pub(crate) vmid: u32,
    pub(crate) name: String,
    pub(crate) node: String,
    pub(crate) kind: Kind,
    pub(crate) os: Os,
    pub(crate) shell: Shell,
    pub(crate) running: bool,
    pub(crate) lock: Option<&'static str>,
    pub(crate) template: bool,
    pub(crate) privileged: bool,
    pub(crate) shell_console: bool,
    pub(crate) mount_point: bool,
    pub(crate) guest_agent: bool,
    pub(crate) networked: bool,
    pub(crate) backed_up: bool,
    pub(crate) tags: Option<&'static str>,
    pub(crate) pool: Option<&'static str>,
    pub(crate) cores: u64,
    pub(crate) memory_mib: u64,
    pub(crate) disk_gib: u64,
    pub(crate) storage: &'static str,
    pub(crate) address: Option<String>,
    pub(crate) updates: Vec<PackageSpec>,
}

/// A package that is installed in a guest in one version and offered in a newer one.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PackageSpec {
    pub(crate) name: String,
    pub(crate) installed: String,
    pub(crate) offered: String,
    pub(crate) security: bool,
    /// Whether it brings a service of its name, which it restarts.
    #[serde(default)]
    pub(crate) service: bool,
    /// What is wrong with the offered version.
    #[serde(default)]
    pub(crate) flaw: Option<Flaw>,
}

/// What is wrong with a version of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
pub enum Flaw {
    /// Its script after unpacking fails.
    Postinst,
    /// Its service does not start.
    Service,
    /// It asks a question, unless it is told not to.
    Asks,
    /// It never ends.
    Hangs,
}

impl PackageSpec {
    /// An ordinary update.
    pub fn update(name: &str, installed: &str, offered: &str) -> PackageSpec {
        let [name, installed, offered] = [name, installed, offered].map(str::to_owned);
        PackageSpec {
            name,
            installed,
            offered,
            security: false,
            service: false,
            flaw: None,
        }
    }

    /// With a service of its name.
    pub fn service(self) -> PackageSpec {
        PackageSpec { service: true, ..self }
    }

    /// With something wrong in the version that is offered.
    pub fn flaw(self, flaw: Flaw) -> PackageSpec {
        let flaw = Some(flaw);
        PackageSpec { flaw, ..self }
    }

    /// An update from the security archive.
    pub fn security(name: &str, installed: &str, offered: &str) -> PackageSpec {
        PackageSpec {
            security: true,
            ..PackageSpec::update(name, installed, offered)
        }
    }
}

impl GuestSpec {
    /// A container.
    pub fn lxc(vmid: u32, name: &str, node: &str, os: Os) -> GuestSpec {
        GuestSpec {
            vmid,
            name: name.to_owned(),
            node: node.to_owned(),
            kind: Kind::Lxc,
            os,
            shell: if os == Os::Alpine { Shell::Ash } else { Shell::Bash },
            running: true,
            lock: None,
            template: false,
            privileged: false,
            shell_console: false,
            mount_point: false,
            guest_agent: false,
            networked: true,
            backed_up: true,
            tags: None,
            pool: None,
            cores: 2,
            memory_mib: 1024,
            disk_gib: 8,
            storage: "local-lvm",
            address: None,
            updates: Vec::new(),
        }
    }

    /// A virtual machine without a guest agent.
    pub fn qemu(vmid: u32, name: &str, node: &str, os: Os) -> GuestSpec {
        GuestSpec {
            kind: Kind::Qemu,
            memory_mib: 4096,
            disk_gib: 32,
            ..GuestSpec::lxc(vmid, name, node, os)
        }
    }

    /// Off.
    pub fn stopped(self) -> GuestSpec {
        GuestSpec { running: false, ..self }
    }

    /// Held by an operation, such as `backup`.
    pub fn locked(self, lock: &'static str) -> GuestSpec {
        GuestSpec {
            lock: Some(lock),
            ..self
        }
    }

    /// A template, which never runs.
    pub fn template(self) -> GuestSpec {
        GuestSpec {
            template: true,
            running: false,
            ..self
        }
    }

    /// A container whose root is root of the node.
    pub fn privileged(self) -> GuestSpec {
        GuestSpec {
            privileged: true,
            ..self
        }
    }

    /// With a root shell on its console (`cmode=shell`) instead of a login.
    pub fn shell_console(self) -> GuestSpec {
        GuestSpec {
            shell_console: true,
            ..self
        }
    }

    /// With another shell of root than bash, or than ash on Alpine.
    pub fn shell(self, shell: Shell) -> GuestSpec {
        GuestSpec { shell, ..self }
    }

    /// With a second disk.
    pub fn mount_point(self) -> GuestSpec {
        GuestSpec {
            mount_point: true,
            ..self
        }
    }

    /// A machine with the QEMU guest agent.
    pub fn guest_agent(self) -> GuestSpec {
        GuestSpec {
            guest_agent: true,
            ..self
        }
    }

    /// Without any network: what runs inside reaches nobody.
    pub fn isolated(self) -> GuestSpec {
        GuestSpec {
            networked: false,
            ..self
        }
    }

    /// With its disks elsewhere than on `local-lvm`: on `local-zfs`, whose snapshots can be returned to from the newest
    /// on; on `local-btrfs`; or on `usb-disk`, a folder, which keeps no snapshots of containers.
    pub fn storage(self, storage: &'static str) -> GuestSpec {
        GuestSpec { storage, ..self }
    }

    /// In no backup job.
    pub fn not_backed_up(self) -> GuestSpec {
        GuestSpec {
            backed_up: false,
            ..self
        }
    }

    /// Tags, separated by semicolons.
    pub fn tags(self, tags: &'static str) -> GuestSpec {
        GuestSpec {
            tags: Some(tags),
            ..self
        }
    }

    /// Member of a pool.
    pub fn pool(self, pool: &'static str) -> GuestSpec {
        GuestSpec {
            pool: Some(pool),
            ..self
        }
    }

    /// Cores, memory in MiB and disk in GiB.
    pub fn size(self, cores: u64, memory_mib: u64, disk_gib: u64) -> GuestSpec {
        GuestSpec {
            cores,
            memory_mib,
            disk_gib,
            ..self
        }
    }

    /// IPv4 address with prefix length.
    pub fn address(self, address: &str) -> GuestSpec {
        GuestSpec {
            address: Some(address.to_owned()),
            ..self
        }
    }

    /// What could be updated in it.
    pub fn updates(self, updates: Vec<PackageSpec>) -> GuestSpec {
        GuestSpec { updates, ..self }
    }
}
