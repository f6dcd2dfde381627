//! A system with folders of its own for /etc and /var over the programs of this machine, entered by chroot in namespaces
//! of its own. What stands in `/opt/tools` comes before all programs. Needs no root.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use muster_packages::ScanReport;
use muster_packages::scan::{self, Patience};
use tempfile::TempDir;

use crate::shell::SHELLS;

/// Enters the folder `$0` and runs the rest there.
const ENTER: &str = r#"for part in usr dev; do mount --rbind "/$part" "$0/$part" || exit 90; done
mount -t proc proc "$0/proc" 2>/dev/null || mount --rbind /proc "$0/proc" || exit 90
exec chroot "$0" /usr/bin/env -i HOME=/root LANG=de_DE.UTF-8 PATH=/opt/tools:/usr/sbin:/usr/bin:/sbin:/bin "$@""#;

pub(crate) struct ManagerRoot {
    folder: TempDir,
}

impl ManagerRoot {
    /// A system whose os-release says that it is `id`.
    pub(crate) fn new(id: &str) -> Result<Self> {
        let root = Self {
            folder: TempDir::new()?,
        };
        for folder in [
            "usr",
            "dev",
            "proc",
            "tmp",
            "root",
            "run/systemd",
            "var/tmp",
            "var/log",
            "opt/tools",
            "etc",
        ] {
            fs::create_dir_all(root.path(folder))?;
        }
        for folder in ["bin", "sbin", "lib64", "lib32"] {
            symlink(format!("usr/{folder}"), root.path(folder))?;
        }
        // apk keeps its database there.
        match id {
            "alpine" => {
                let libraries = format!("{}-linux-gnu", std::env::consts::ARCH);
                fs::create_dir(root.path("lib"))?;
                symlink(format!("../usr/lib/{libraries}"), root.path("lib").join(libraries))?;
            }
            _ => symlink("usr/lib", root.path("lib"))?,
        }
        // Names like `awk` lead there.
        let copied = Command::new("cp")
            .args(["-a", "/etc/alternatives"])
            .arg(root.path("etc"))
            .status()?;
        anyhow::ensure!(copied.success(), "cp failed");
        root.write("run/systemd/container", "lxc\n")?;
        root.write("etc/os-release", &format!("ID={id}\nVERSION_ID=1\n"))?;
        root.write("etc/hosts", "127.0.0.1 localhost\n")?;
        root.write("etc/passwd", "root:x:0:0::/root:/bin/sh\n")?;
        root.write("etc/group", "root:x:0:\n")?;
        Ok(root)
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// Writes a file and the folders above it.
    pub(crate) fn write(&self, path: &str, text: &str) -> Result<()> {
        let path = self.path(path);
        fs::create_dir_all(path.parent().context("below the root")?)?;
        Ok(fs::write(path, text)?)
    }

    /// Replaces a part of a file.
    pub(crate) fn replace(&self, path: &str, old: &str, new: &str) -> Result<()> {
        let text = fs::read_to_string(self.path(path))?;
        anyhow::ensure!(text.contains(old), "{path} has no {old}");
        self.write(path, &text.replace(old, new))
    }

    /// Puts a scripted tool before all others.
    pub(crate) fn tool(&self, name: &str, script: &str) -> Result<()> {
        let path = self.path("opt/tools").join(name);
        fs::write(&path, script)?;
        Ok(fs::set_permissions(path, fs::Permissions::from_mode(0o755))?)
    }

    pub(crate) fn run(&self, words: &[&str]) -> Result<Output> {
        let output = Command::new("unshare")
            .args(["--map-root-user", "--mount", "--pid", "--fork", "sh", "-c", ENTER])
            .arg(self.folder.path())
            .args(words)
            .stdin(Stdio::null())
            .output()?;
        Ok(output)
    }

    /// Runs a shell command that must succeed.
    pub(crate) fn sh(&self, line: &str) -> Result<String> {
        let output = self.run(&["sh", "-c", line])?;
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        anyhow::ensure!(output.status.success(), "{line}: {said}");
        Ok(said)
    }

    /// What the script of the scan prints under a shell.
    pub(crate) fn answer(&self, shell: &[&str]) -> Result<Vec<u8>> {
        let patience = Patience {
            lock: Duration::from_secs(2),
            refresh: Duration::from_secs(30),
        };
        let script = scan::script(patience);
        let output = self.run(&[shell, &["-c", &script]].concat())?;
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{shell:?} complains");
        Ok(output.stdout)
    }

    /// Scans under the machine's own shell.
    pub(crate) fn scan(&self) -> Result<ScanReport> {
        let answer = self.answer(SHELLS[0])?;
        scan::parse(&answer).with_context(|| String::from_utf8_lossy(&answer).into_owned())
    }

    /// Scans under every shell; all reports must be the same.
    pub(crate) fn scan_by_every_shell(&self) -> Result<ScanReport> {
        let report = self.scan()?;
        for shell in &SHELLS[1..] {
            assert_eq!(scan::parse(&self.answer(shell)?)?, report, "{shell:?}");
        }
        Ok(report)
    }

    /// The code with which a scan fails.
    pub(crate) fn failure(&self) -> Result<&'static str> {
        let answer = self.answer(SHELLS[0])?;
        match scan::parse(&answer) {
            Ok(report) => anyhow::bail!("must fail: {report:?}"),
            Err(error) => Ok(error.code()),
        }
    }
}

/// One line for each update: name, versions, origin, what is known of security, and what keeps it from being installed.
pub(crate) fn lines(report: &ScanReport) -> Vec<String> {
    let line = |update: &muster_packages::AvailableUpdate| {
        let mut line = format!(
            "{} {} {} -> {} from {}",
            update.name,
            update.arch,
            update.from.as_deref().unwrap_or("nothing"),
            update.to,
            update.origin
        );
        line += match update.security {
            Some(true) => " security",
            Some(false) => "",
            None => " security-unknown",
        };
        if let Some(evidence) = &update.evidence {
            line += &format!(" [{evidence}]");
        }
        if !update.fixes.is_empty() {
            line += &format!(" fixes {}", update.fixes.join(" "));
        }
        for (is, word) in [(update.held, " held"), (update.kept_back, " kept-back")] {
            line += if is { word } else { "" };
        }
        line
    };
    report.updates.iter().map(line).collect()
}
