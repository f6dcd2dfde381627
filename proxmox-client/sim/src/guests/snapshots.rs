//! Copies of the files of guests, kept beside them.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::{Guests, Id, apt, systems};
use crate::world::Os;

/// The folders of a guest that are its own.
const OWN: [&str; 2] = ["root", "local"];

impl Guests {
    /// Keeps the files as they are now. A guest that never booted has none.
    pub(crate) fn keep_files(&self, id: &Id, snapshot: &str) -> Result<()> {
        let (folder, kept) = (self.folder_of(id), self.kept(id, snapshot));
        remove(&kept)?;
        fs::create_dir_all(&kept).with_context(|| format!("cannot make {}", kept.display()))?;
        copy(&folder, &kept)
    }

    /// Ends all processes of a guest and returns to the files that were kept. What its archives offer is not part of
    /// it.
    pub(crate) fn restore_files(&self, id: &Id, os: Os, snapshot: &str) -> Result<()> {
        let slot = self.slot(id);
        let mut running = slot.lock();
        *running = None;
        let (folder, kept) = (self.folder_of(id), self.kept(id, snapshot));
        OWN.iter().try_for_each(|own| remove(&folder.join(own)))?;
        copy(&kept, &folder)?;
        if systems::uses_apt(os) && self.was_booted(id) {
            apt::write_archives(&self.root(id), &self.cache(), os, &self.offers(id))?;
        }
        Ok(())
    }

    /// Forgets what was kept.
    pub(crate) fn forget_files(&self, id: &Id, snapshot: &str) -> Result<()> {
        remove(&self.kept(id, snapshot))
    }

    fn kept(&self, id: &Id, snapshot: &str) -> PathBuf {
        self.folder_of(id).join("snapshots").join(snapshot)
    }
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let there: Vec<PathBuf> = OWN
        .iter()
        .map(|own| from.join(own))
        .filter(|own| own.exists())
        .collect();
    if there.is_empty() {
        return Ok(());
    }
    let mut copy = Command::new("cp");
    let copied = copy.args(["-a", "--reflink=auto", "--"]).args(there).arg(to).output()?;
    // A running guest may take files away meanwhile.
    let complaints = String::from_utf8_lossy(&copied.stderr).into_owned();
    let is_fine = |line: &str| line.contains("No such file") || line.contains("file changed");
    ensure!(
        copied.status.success() || complaints.lines().all(is_fine),
        "cannot copy files: {}",
        complaints.trim()
    );
    Ok(())
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}
