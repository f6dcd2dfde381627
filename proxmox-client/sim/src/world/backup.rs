//! Backups with vzdump, and the archives that they leave on storages.

use std::collections::VecDeque;

use jiff::Timestamp;

use super::{Cluster, Kind, Millis, Mishap, Step, Upid};

/// How long the backup of one guest takes.
const TAKES: Millis = 3_000;

/// An archive on a storage.
#[derive(Debug, Clone)]
pub(crate) struct Archive {
    /// The guest's number, which need not exist any more.
    pub(crate) vmid: u32,
    pub(crate) kind: Kind,
    pub(crate) storage: String,
    /// The node that made it; others do not see it unless the storage is shared.
    pub(crate) node: String,
    /// When it was begun.
    pub(crate) at: Millis,
    /// Bytes.
    pub(crate) size: u64,
    pub(crate) notes: Option<String>,
    pub(crate) protected: bool,
}

impl Archive {
    /// Its file name's ending after the first dot.
    pub(crate) fn format(&self) -> &'static str {
        match self.kind {
            Kind::Lxc => "tar.zst",
            Kind::Qemu => "vma.zst",
        }
    }

    /// Its name on its storage.
    pub(crate) fn file(&self) -> String {
        let at = time(self.at).strftime("%Y_%m_%d-%H_%M_%S").to_string();
        format!("vzdump-{}-{}-{at}.{}", self.kind.word(), self.vmid, self.format())
    }
}

/// A backup job, as far as it has not been done.
#[derive(Debug, Clone)]
pub(crate) struct Backups {
    pub(crate) upid: Upid,
    /// What is still to be made, in this order.
    pub(crate) left: VecDeque<Archive>,
    /// Whether a backup before has failed.
    pub(crate) has_failed: bool,
}

impl Cluster {
    /// Goes on with a job: begins the next backup that can be begun, or ends it.
    pub(crate) fn backup_next(&mut self, mut job: Backups, now: Millis) {
        while let Some(archive) = job.left.pop_front() {
            let archive = Archive { at: now, ..archive };
            match self.begin_backup(&job.upid, archive.vmid, now) {
                Ok(()) => return self.later(now + TAKES, Step::BackupMade { archive, job }),
                Err(problem) => {
                    job.has_failed = true;
                    let line = format!("ERROR: Backup of VM {} failed - {problem}", archive.vmid);
                    self.log(&job.upid, line);
                }
            }
        }
        let outcome = if job.has_failed {
            Err("job errors".to_owned())
        } else {
            Ok(())
        };
        self.finish_task(&job.upid, now, outcome);
    }

    fn begin_backup(&mut self, upid: &Upid, vmid: u32, now: Millis) -> Result<(), String> {
        let guest = self
            .guests
            .get_mut(&vmid)
            .ok_or_else(|| format!("unable to find VM '{vmid}'"))?;
        if let Some(lock) = guest.lock() {
            return Err(format!("{} is locked ({lock})", guest.kind.short()));
        }
        guest.mishaps.happens(Mishap::Backup)?;
        guest.config.set("lock", "backup".into());
        let lines = [
            format!("Starting Backup of VM {vmid} ({})", guest.kind.word()),
            format!("Backup started at {}", time(now).strftime("%Y-%m-%d %H:%M:%S")),
            format!("status = {}", guest.status()),
            format!("{} Name: {}", guest.kind.short(), guest.name()),
            "backup mode: snapshot".to_owned(),
        ];
        lines
            .into_iter()
            .for_each(|line| self.log(upid, format!("INFO: {line}")));
        Ok(())
    }

    /// A job that is stopped lets go of its guests.
    pub(super) fn unlock_after_backup(&mut self, upid: &Upid) {
        let guests = self
            .guests
            .values_mut()
            .filter(|guest| upid.kind == "vzdump" && guest.node == upid.node);
        for guest in guests.filter(|guest| guest.lock() == Some("backup")) {
            guest.config.active.remove("lock");
        }
    }

    /// An archive is complete.
    pub(super) fn backup_made(&mut self, archive: Archive, job: Backups, now: Millis) {
        if let Some(guest) = self.guests.get_mut(&archive.vmid) {
            guest.config.active.remove("lock");
        }
        let lines = [
            format!("creating vzdump archive '/var/lib/vz/dump/{}'", archive.file()),
            format!("archive file size: {}MB", archive.size >> 20),
            format!("Finished Backup of VM {} (00:00:03)", archive.vmid),
            format!("Backup finished at {}", time(now).strftime("%Y-%m-%d %H:%M:%S")),
        ];
        lines
            .into_iter()
            .for_each(|line| self.log(&job.upid, format!("INFO: {line}")));
        self.archives.push(archive);
        self.backup_next(job, now);
    }
}

fn time(at: Millis) -> Timestamp {
    Timestamp::from_millisecond(at.try_into().unwrap_or_default()).unwrap_or_default()
}
