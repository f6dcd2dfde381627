//! The private files of a guest, laid out at its first boot and then left to it.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use super::{Nature, apk, apt, pacman, systems};
use crate::scenario::PackageSpec;
use crate::world::{Os, Shell};

/// Folders of the root, and below.
const FOLDERS: [&str; 22] = [
    "dev",
    "etc/init.d",
    "etc/network",
    "etc/systemd/system",
    "home",
    "media",
    "mnt",
    "opt",
    "proc",
    "root",
    "run",
    "srv",
    "sys",
    "tmp",
    "usr",
    "var/cache",
    "var/lib",
    "var/log",
    "var/opt",
    "var/spool",
    "var/tmp",
    "var/mail",
];

/// Folders of /usr/local.
const LOCAL: [&str; 5] = ["bin", "etc", "lib", "sbin", "share"];

/// Lays out the files unless they are there. Packages that were built are kept in `cache`.
pub(super) fn lay_out(root: &Path, cache: &Path, nature: &Nature, offers: &[PackageSpec]) -> Result<()> {
    if root.join("etc/hostname").exists() {
        return Ok(());
    }
    lay_out_new(root, cache, nature, offers)
        .with_context(|| format!("cannot write the guest's files in {}", root.display()))
}

fn lay_out_new(root: &Path, cache: &Path, nature: &Nature, offers: &[PackageSpec]) -> Result<()> {
    for folder in FOLDERS {
        fs::create_dir_all(root.join(folder))?;
    }
    for folder in LOCAL {
        fs::create_dir_all(root.with_file_name("local").join(folder))?;
    }
    fs::set_permissions(root.join("var/tmp"), fs::Permissions::from_mode(0o1777))?;
    fs::set_permissions(root.join("root"), fs::Permissions::from_mode(0o700))?;
    // Systems keep their programs in /usr and point there from the root, as this machine does.
    for name in ["bin", "sbin", "lib", "lib32", "lib64"] {
        if let Ok(target) = fs::read_link(Path::new("/").join(name)) {
            let link = root.join(name);
            drop(fs::remove_file(&link));
            symlink(target, link)?;
        }
    }
    symlink("/usr/bin/busybox", root.with_file_name("local").join("bin/ash")).or_else(unless_there)?;
    symlink("/run", root.join("var/run")).or_else(unless_there)?;
    symlink("/proc/self/mounts", root.join("etc/mtab")).or_else(unless_there)?;
    write_settings(&root.join("etc"), nature)?;
    match nature.os {
        Os::Debian | Os::Ubuntu => apt::lay_out(root, cache, nature.os, offers)?,
        Os::Arch => pacman::lay_out(root, offers)?,
        Os::Alpine => apk::lay_out(root, offers)?,
        Os::Fedora | Os::OpenSuse => {}
    }
    // The last one: it says that everything is there.
    fs::write(root.join("etc/hostname"), format!("{}\n", nature.name))?;
    Ok(())
}

/// Where the shell is in a guest. One that this machine does not have is stood in for by its `sh`.
fn shell_path(shell: Shell) -> &'static str {
    let (program, path) = match shell {
        Shell::Bash => ("/usr/bin/bash", "/bin/bash"),
        Shell::Dash => ("/usr/bin/dash", "/bin/dash"),
        Shell::Ash => ("/usr/bin/busybox", "/usr/local/bin/ash"),
    };
    if Path::new(program).exists() { path } else { "/bin/sh" }
}

fn unless_there(error: std::io::Error) -> std::io::Result<()> {
    if error.kind() == std::io::ErrorKind::AlreadyExists {
        Ok(())
    } else {
        Err(error)
    }
}

fn write_settings(etc: &Path, nature: &Nature) -> Result<()> {
    let system = systems::of(nature.os);
    let name = &nature.name;
    let machine = hex::encode(&Sha256::digest(etc.as_os_str().as_encoded_bytes())[..16]);
    let groups = ["root", "daemon", "bin", "sys", "adm"].iter().enumerate();
    let groups: String = groups.map(|(id, group)| format!("{group}:x:{id}:\n")).collect();
    for (file, text) in [
        ("os-release", system.os_release()),
        ("machine-id", format!("{machine}\n")),
        (
            "hosts",
            format!("127.0.0.1\tlocalhost\n127.0.1.1\t{name}\n::1\tlocalhost\n"),
        ),
        (
            "passwd",
            format!(
                "root:x:0:0:root:/root:{}\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n",
                shell_path(nature.shell)
            ),
        ),
        ("bash.bashrc", "PS1='\\u@\\h:\\w\\$ '\n".to_owned()),
        ("group", format!("{groups}nogroup:x:65534:\n")),
        (
            "nsswitch.conf",
            "passwd: files\ngroup: files\nhosts: files dns\n".to_owned(),
        ),
        ("shells", "/bin/sh\n".to_owned()),
        (
            "profile",
            "export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n".to_owned(),
        ),
    ] {
        fs::write(etc.join(file), text)?;
    }
    match nature.os {
        Os::Debian => fs::write(etc.join("debian_version"), "12.11\n")?,
        Os::Ubuntu => fs::write(etc.join("debian_version"), "trixie/sid\n")?,
        Os::Alpine => fs::write(etc.join("alpine-release"), "3.22.1\n")?,
        Os::Fedora => fs::write(etc.join("fedora-release"), "Fedora release 42 (Adams)\n")?,
        Os::Arch => fs::write(etc.join("arch-release"), "")?,
        Os::OpenSuse => {}
    }
    Ok(())
}
