//! Snapshots of guests: which storages can make them, and what Proxmox VE keeps of each (PVE/AbstractConfig.pm).

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Becomes, Cluster, Event, Guest, Kind, Millis, Mishap, Upid};

/// A state of a guest that can be returned to.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    pub(crate) name: String,
    /// With a line feed at its end, unless it is empty.
    pub(crate) description: String,
    /// Seconds since 1970.
    pub(crate) time: u64,
    /// The one that was made or returned to before.
    pub(crate) parent: Option<String>,
    /// Whether the guest ran then.
    pub(crate) was_running: bool,
    /// The configuration then.
    pub(crate) config: BTreeMap<String, Value>,
}

/// The snapshots of a guest in the order in which they were made.
#[derive(Debug, Clone, Default)]
pub(crate) struct Snapshots {
    pub(crate) all: Vec<Snapshot>,
    /// The one that was made or returned to last.
    pub(crate) current: Option<String>,
}

/// What is to be done with the files of a guest for one of its snapshots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FileWork {
    /// Keep them as they are.
    Keep { name: String, description: String },
    /// Return to those that were kept.
    Restore { name: String, then_start: bool },
    /// Forget what was kept.
    Forget { name: String },
}

impl FileWork {
    /// The snapshot.
    pub(crate) fn name(&self) -> &str {
        match self {
            FileWork::Keep { name, .. } | FileWork::Restore { name, .. } | FileWork::Forget { name } => name,
        }
    }

    /// What can be planned to go wrong with it.
    fn mishap(&self) -> Mishap {
        match self {
            FileWork::Keep { .. } => Mishap::Snapshot,
            FileWork::Restore { .. } => Mishap::Rollback,
            FileWork::Forget { .. } => Mishap::DeleteSnapshot,
        }
    }

    /// The lock of the guest meanwhile.
    fn lock(&self) -> &'static str {
        match self {
            FileWork::Keep { .. } => "snapshot",
            FileWork::Restore { .. } => "rollback",
            FileWork::Forget { .. } => "snapshot-delete",
        }
    }
}

impl Snapshots {
    /// The snapshot of that name.
    pub(crate) fn get(&self, name: &str) -> Option<&Snapshot> {
        self.all.iter().find(|snapshot| snapshot.name == name)
    }

    /// The snapshot of that name.
    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut Snapshot> {
        self.all.iter_mut().find(|snapshot| snapshot.name == name)
    }

    /// Takes one away; those made after it hang on the one before it.
    fn remove(&mut self, name: &str) {
        let Some(at) = self.all.iter().position(|snapshot| snapshot.name == name) else {
            return;
        };
        let parent = self.all.remove(at).parent;
        let children = self.all.iter_mut().map(|snapshot| &mut snapshot.parent);
        for of in children.chain([&mut self.current]) {
            if of.as_deref() == Some(name) {
                of.clone_from(&parent);
            }
        }
    }
}

impl Guest {
    /// Its disks, as storage and volume; a folder of the node is on no storage.
    fn volumes(&self) -> impl Iterator<Item = (Option<&str>, &str)> {
        let is_disk = |key: &str| {
            let family = key.trim_end_matches(|c: char| c.is_ascii_digit());
            matches!(family, "rootfs" | "mp" | "scsi" | "virtio" | "sata" | "ide")
        };
        let disks = self.config.active.iter().filter(move |(key, _)| is_disk(key));
        disks.filter_map(|(_, value)| {
            let volume = value.as_str()?.split(',').next()?;
            Some((volume.split_once(':').map(|(storage, _)| storage), volume))
        })
    }
}

impl Cluster {
    fn plugin(&self, storage: Option<&str>) -> Option<&'static str> {
        let storage = self.storages.iter().find(|one| Some(one.name.as_str()) == storage);
        storage.map(|storage| storage.plugin)
    }

    /// Whether all disks of a guest are on storages that can keep and return to states.
    pub(crate) fn can_snapshot(&self, guest: &Guest) -> bool {
        guest.volumes().all(|(storage, volume)| match self.plugin(storage) {
            Some("lvmthin" | "zfspool" | "btrfs" | "rbd") => true,
            Some("dir" | "nfs" | "cifs") => guest.kind == Kind::Qemu && volume.ends_with(".qcow2"),
            _ => false,
        })
    }

    /// Why a guest cannot return to a snapshot: ZFS would have to destroy those made after it.
    pub(crate) fn rollback_problem(&self, guest: &Guest, name: &str) -> Option<String> {
        let is_newest = guest.snapshots.all.last().is_some_and(|newest| newest.name == name);
        let on_zfs = |(storage, _): &(Option<&str>, &str)| self.plugin(*storage) == Some("zfspool");
        let (_, volume) = guest.volumes().find(on_zfs).filter(|_| !is_newest)?;
        Some(format!(
            "can't rollback, '{name}' is not most recent snapshot on '{volume}'"
        ))
    }

    /// Begins work on the files of a guest, which is locked until [`Cluster::files_done`].
    pub(crate) fn begin_files(&mut self, vmid: u32, work: FileWork, upid: &Upid, now: Millis) {
        let Some(guest) = self.guests.get_mut(&vmid) else {
            return;
        };
        let mishap = guest.mishaps.happens(work.mishap());
        let goes_down = matches!(work, FileWork::Restore { .. });
        if goes_down || mishap.is_ok() {
            guest.config.set("lock", work.lock().into());
        }
        if goes_down && guest.is_running() {
            self.guest_becomes(vmid, Becomes::Stopped, now);
        }
        match mishap {
            Ok(()) => self.emit(Event::Files {
                vmid,
                work,
                upid: upid.to_string(),
            }),
            failed => self.finish_task(upid, now, failed),
        }
    }

    /// The files are as they were to be, or the work failed.
    pub(crate) fn files_done(
        &mut self,
        vmid: u32,
        work: FileWork,
        upid: &Upid,
        outcome: Result<(), String>,
        now: Millis,
    ) {
        let then_start = matches!(work, FileWork::Restore { then_start: true, .. }) && outcome.is_ok();
        let is_image = self
            .guests
            .get(&vmid)
            .is_some_and(|guest| guest.kind == Kind::Lxc && !self.is_on_zfs(guest));
        if let Some(guest) = self.guests.get_mut(&vmid) {
            guest.config.active.remove("lock");
            if outcome.is_ok() {
                guest.has_files(work, is_image, now);
            }
        }
        self.finish_task(upid, now, outcome);
        if then_start {
            self.start_after(vmid, upid, now);
        }
    }

    fn is_on_zfs(&self, guest: &Guest) -> bool {
        guest
            .volumes()
            .any(|(storage, _)| self.plugin(storage) == Some("zfspool"))
    }
}

impl Guest {
    /// What comes with the files. A file system in an image (`is_image`) remembers that it was in use.
    fn has_files(&mut self, work: FileWork, is_image: bool, now: Millis) {
        match work {
            FileWork::Keep { name, description } => {
                let parent = self.snapshots.current.replace(name.clone());
                self.snapshots.all.push(Snapshot {
                    name,
                    description,
                    time: now / 1000,
                    parent,
                    config: self.config.active.clone(),
                    was_running: self.is_running(),
                });
            }
            FileWork::Forget { name } => self.snapshots.remove(&name),
            FileWork::Restore { name, .. } => {
                if let Some(snapshot) = self.snapshots.get(&name) {
                    self.config.active = snapshot.config.clone();
                    self.config.pending.clear();
                    self.mount_waits = snapshot.was_running && is_image;
                }
                self.snapshots.current = Some(name);
            }
        }
    }
}
