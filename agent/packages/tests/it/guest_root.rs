//! A guest's file system in a temporary folder, entered by chroot in a user and mount namespace of its own. It has the
//! tools that a test names and no others, so that a script which needs more is found out. Needs no root.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result};
use tempfile::TempDir;

/// What every Debian has, beside a shell and an HTTP client.
const DEBIAN: [&str; 17] = [
    "cat",
    "chmod",
    "cut",
    "df",
    "env",
    "id",
    "mkdir",
    "mktemp",
    "mv",
    "rm",
    "sed",
    "sha256sum",
    "sleep",
    "tail",
    "tr",
    "uname",
    "test",
];
/// What Alpine's busybox has that the scripts use.
const ALPINE: [&str; 19] = [
    "cat",
    "chmod",
    "cut",
    "df",
    "env",
    "id",
    "mkdir",
    "mktemp",
    "mv",
    "rm",
    "sed",
    "sha256sum",
    "sh",
    "sleep",
    "tail",
    "tr",
    "uname",
    "wget",
    "ash",
];

const SYSTEMCTL: &str = r#"#!/bin/sh
echo "$*" >>/var/log/services
unit=/etc/systemd/system/${2-}.service
case $1 in
  enable) [ -f "$unit" ] ;;
  restart) $(sed -n 's/^ExecStart=//p' "$unit") ;;
esac
"#;
const RC_UPDATE: &str = r#"#!/bin/sh
echo "update $*" >>/var/log/services
[ "$1" != add ] || [ -x "/etc/init.d/$2" ]
"#;
const RC_SERVICE: &str = r#"#!/bin/sh
echo "$*" >>/var/log/services
[ "$2" != restart ] || $(sed -n 's/^command=//p' "/etc/init.d/$1") $(sed -n 's/^command_args=//p' "/etc/init.d/$1")
"#;
/// Enters the folder `$0` and runs the rest there.
const ENTER: &str = r#"for part in usr proc dev; do mount --rbind "/$part" "$0/host/$part" || exit 90; done
exec chroot "$0" /host/usr/bin/env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@""#;

pub(crate) struct GuestRoot {
    folder: TempDir,
}

/// The HTTP client of a Debian guest.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Client {
    Curl,
    Wget,
    None,
}

impl GuestRoot {
    /// dash, coreutils and systemd.
    pub(crate) fn debian(client: Client) -> Result<Self> {
        let root = Self::empty()?;
        for tool in DEBIAN {
            root.link(tool, tool)?;
        }
        root.link("sh", "dash")?;
        match client {
            Client::Curl => root.link("curl", "curl")?,
            Client::Wget => root.link("wget", "wget")?,
            Client::None => {}
        }
        fs::create_dir_all(root.path("run/systemd/system"))?;
        fs::create_dir_all(root.path("etc/systemd/system"))?;
        root.tool("systemctl", SYSTEMCTL)?;
        Ok(root)
    }

    /// busybox and OpenRC.
    pub(crate) fn alpine() -> Result<Self> {
        let root = Self::empty()?;
        for tool in ALPINE {
            root.link(tool, "busybox")?;
        }
        fs::create_dir_all(root.path("run/openrc"))?;
        fs::create_dir_all(root.path("etc/init.d"))?;
        root.tool("rc-update", RC_UPDATE)?;
        root.tool("rc-service", RC_SERVICE)?;
        Ok(root)
    }

    /// Puts a scripted tool before all others.
    pub(crate) fn tool(&self, name: &str, script: &str) -> Result<()> {
        let path = self.path("usr/local/sbin").join(name);
        fs::write(&path, script)?;
        Ok(fs::set_permissions(path, fs::Permissions::from_mode(0o755))?)
    }

    /// The command that enters the guest; the words of the guest's own command are appended.
    pub(crate) fn enter(&self) -> Command {
        let mut command = Command::new("unshare");
        command
            .args(["--map-root-user", "--mount", "sh", "-c", ENTER])
            .arg(self.folder.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs a command in the guest; gives its exit code and what it printed.
    pub(crate) fn run(&self, words: &[&str]) -> Result<(i32, String)> {
        said(self.enter().args(words).output()?)
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub(crate) fn read(&self, path: &str) -> Result<String> {
        fs::read_to_string(self.path(path)).with_context(|| path.to_owned())
    }

    /// Everything below a folder of the guest.
    pub(crate) fn list(&self, path: &str) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.path(path))? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        Ok(names)
    }

    fn empty() -> Result<Self> {
        let root = Self {
            folder: TempDir::new()?,
        };
        for part in [
            "host/usr",
            "host/proc",
            "host/dev",
            "bin",
            "etc",
            "tmp",
            "root",
            "usr/local/sbin",
            "usr/local/lib",
        ] {
            fs::create_dir_all(root.path(part))?;
        }
        fs::create_dir_all(root.path("var/log"))?;
        fs::create_dir_all(root.path("var/lib"))?;
        for (name, place) in [
            ("lib", "host/usr/lib"),
            ("lib64", "host/usr/lib64"),
            ("proc", "host/proc"),
            ("dev", "host/dev"),
        ] {
            symlink(place, root.path(name))?;
        }
        Ok(root)
    }

    fn link(&self, name: &str, tool: &str) -> Result<()> {
        Ok(symlink(format!("/host/usr/bin/{tool}"), self.path("bin").join(name))?)
    }
}

/// Exit code and both streams of a command that ran.
pub(crate) fn said(output: Output) -> Result<(i32, String)> {
    let text = String::from_utf8([output.stdout, output.stderr].concat())?;
    Ok((output.status.code().context("killed")?, text))
}
