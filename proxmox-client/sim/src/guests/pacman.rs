//! Packages of Arch guests: pacman's list of what is installed, and a repository with what is offered. pacman is the real
//! one of this machine. It can list and simulate; there are no package files to install.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::scenario::PackageSpec;

/// The one repository.
const REPOSITORY: &str = "core";

const BASE: &[(&str, &str)] = &[
    ("bash", "5.3.3-2"),
    ("filesystem", "2025.05.03-1"),
    ("glibc", "2.42+r17+gd7274d718e6f-1"),
    ("openssl", "3.5.4-1"),
    ("pacman", "7.0.0.r6.gc685ae6-6"),
    ("systemd", "257.8-2"),
    ("zlib", "1:1.3.1-2"),
];

/// Writes everything pacman needs.
pub(super) fn lay_out(root: &Path, offers: &[PackageSpec]) -> Result<()> {
    let settings =
        format!("[options]\nArchitecture = auto\nSigLevel = Never\n[{REPOSITORY}]\nServer = file:///srv/mirror\n");
    fs::write(root.join("etc/pacman.conf"), settings)?;
    let local = root.join("var/lib/pacman/local");
    for (name, version) in installed(offers) {
        let folder = local.join(format!("{name}-{version}"));
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("desc"), fields(&name, &version, ""))?;
        fs::write(folder.join("files"), "%FILES%\n\n")?;
    }
    fs::write(local.join("ALPM_DB_VERSION"), "9\n")?;
    write_repository(root, offers)
}

/// Writes the repository anew.
pub(super) fn write_repository(root: &Path, offers: &[PackageSpec]) -> Result<()> {
    let mirror = root.join("srv/mirror");
    let entries = mirror.join("entries");
    if entries.exists() {
        fs::remove_dir_all(&entries)?;
    }
    for (name, installed) in installed(offers) {
        let offer = offers.iter().find(|offer| offer.name == name);
        let version = offer.map_or(&installed, |offer| &offer.offered);
        let folder = entries.join(format!("{name}-{version}"));
        fs::create_dir_all(&folder)?;
        let size = 20_000 + name.len() * 1000;
        let file = format!(
            "%FILENAME%\n{name}-{version}-any.pkg.tar.zst\n\n%CSIZE%\n{size}\n\n%ISIZE%\n{}\n\n",
            size * 3
        );
        fs::write(folder.join("desc"), fields(&name, version, &file))?;
    }
    // An entry's name in the list begins with the package, so each folder is named.
    let mut names = Vec::new();
    for entry in fs::read_dir(&entries)? {
        names.push(entry?.file_name());
    }
    let new = mirror.join("new.db");
    let status = Command::new("tar")
        .arg("-czf")
        .arg(&new)
        .arg("-C")
        .arg(&entries)
        .args(names)
        .status()
        .context("cannot run tar")?;
    ensure!(status.success(), "tar failed");
    fs::rename(new, mirror.join(format!("{REPOSITORY}.db")))?;
    Ok(())
}

/// What is installed at the first boot.
pub(super) fn installed(offers: &[PackageSpec]) -> Vec<(String, String)> {
    super::with_base(BASE, offers)
}

fn fields(name: &str, version: &str, more: &str) -> String {
    format!("%NAME%\n{name}\n\n%VERSION%\n{version}\n\n%BASE%\n{name}\n\n%ARCH%\nany\n\n{more}")
}
