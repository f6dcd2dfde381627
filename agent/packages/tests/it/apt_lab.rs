//! A whole apt system in a temporary folder: the real apt and dpkg of this machine, with their own package database and
//! archives made on the spot. Needs no root.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Output;

use anyhow::Result;
use tempfile::TempDir;

use crate::shell;

/// The archives of the lab: folder, label and suite. Version is always 12.
const ARCHIVES: [(&str, &str, &str); 3] = [
    ("stable", "Debian", "stable"),
    ("security", "Debian-Security", "stable-security"),
    ("updates", "Debian", "stable-updates"),
];

/// An apt system. Packages are published first, then [`AptLab::open`] makes it ready.
pub(crate) struct AptLab {
    folder: TempDir,
}

impl AptLab {
    pub(crate) fn new() -> Result<Self> {
        let lab = Self {
            folder: TempDir::new()?,
        };
        for part in [
            "etc/apt/apt.conf.d",
            "etc/apt/preferences.d",
            "var/lib/dpkg/updates",
            "var/lib/dpkg/info",
        ] {
            fs::create_dir_all(lab.root().join(part))?;
        }
        for part in [
            "var/lib/apt/lists/partial",
            "var/cache/apt/archives/partial",
            "var/log/apt",
            "var/lib/dpkg/triggers",
        ] {
            fs::create_dir_all(lab.root().join(part))?;
        }
        fs::create_dir_all(lab.path().join("bin"))?;
        for (archive, _, _) in ARCHIVES {
            fs::create_dir_all(lab.path().join(archive))?;
        }
        let root = lab.root().display().to_string();
        fs::write(
            lab.path().join("apt.conf"),
            format!(
                "Dir \"{root}\";\nDir::State::status \"{root}/var/lib/dpkg/status\";\nAPT::Architecture \"amd64\";\nAPT::Sandbox::User \"root\";\nAPT::Machine-ID \"00112233445566778899aabbccddeeff\";\n"
            ),
        )?;
        Ok(lab)
    }

    /// Publishes a package in an archive; `fields` are further lines of its control file.
    pub(crate) fn publish(&self, archive: &str, name: &str, version: &str, fields: &str) -> Result<()> {
        let build = self.path().join(format!("build-{archive}-{name}"));
        fs::create_dir_all(build.join("DEBIAN"))?;
        let arch = if fields.contains("Architecture:") {
            ""
        } else {
            "Architecture: all\n"
        };
        fs::write(
            build.join("DEBIAN/control"),
            format!(
                "Package: {name}\nVersion: {version}\n{arch}{fields}Maintainer: Lab <lab@example.org>\nDescription: of the lab\n"
            ),
        )?;
        let deb = self
            .path()
            .join(archive)
            .join(format!("{name}_{}.deb", version.replace(':', "-")));
        let (build, deb) = (build.display().to_string(), deb.display().to_string());
        shell::run("dpkg-deb", &["--root-owner-group", "-b", &build, &deb], self.path())?;
        Ok(())
    }

    /// Writes the archives' indexes, marks every package of `stable` as installed with this status, e.g.
    /// `install ok installed`, and lists the archives as sources.
    pub(crate) fn open(&self, status_of: impl Fn(&str) -> &'static str) -> Result<()> {
        let mut sources = String::new();
        for (archive, label, suite) in ARCHIVES {
            let folder = self.path().join(archive);
            fs::write(
                folder.join("Packages"),
                shell::run("apt-ftparchive", &["packages", "."], &folder)?.stdout,
            )?;
            let options = [
                ("Label", label),
                ("Suite", suite),
                ("Version", "12"),
                ("Origin", "Debian"),
            ]
            .map(|(key, value)| format!("APT::FTPArchive::Release::{key}={value}"));
            let mut arguments: Vec<&str> = options.iter().flat_map(|option| ["-o", option]).collect();
            arguments.extend(["release", "."]);
            fs::write(
                folder.join("Release"),
                shell::run("apt-ftparchive", &arguments, &folder)?.stdout,
            )?;
            writeln!(sources, "deb [trusted=yes] file:{} ./", folder.display())?;
        }
        fs::write(self.root().join("etc/apt/sources.list"), sources)?;
        self.install_stable(status_of)
    }

    /// Adds a line to the list of sources.
    pub(crate) fn add_source(&self, line: &str) -> Result<()> {
        let path = self.root().join("etc/apt/sources.list");
        let sources = fs::read_to_string(&path)?;
        Ok(fs::write(path, format!("{sources}{line}\n"))?)
    }

    /// Puts a scripted tool before the machine's own.
    pub(crate) fn tool(&self, name: &str, script: &str) -> Result<()> {
        let path = self.path().join("bin").join(name);
        fs::write(&path, script)?;
        Ok(fs::set_permissions(path, fs::Permissions::from_mode(0o755))?)
    }

    /// The lock file that `apt-get update` takes.
    pub(crate) fn lists_lock(&self) -> PathBuf {
        self.root().join("var/lib/apt/lists/lock")
    }

    /// Runs a script under a shell as if this were the machine's package system.
    pub(crate) fn run(&self, shell: &[&str], script: &str) -> Result<Output> {
        Ok(shell::command(shell, script)
            .env(
                "PATH",
                format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", self.path().join("bin").display()),
            )
            .env("APT_CONFIG", self.path().join("apt.conf"))
            .env("DPKG_ADMINDIR", self.root().join("var/lib/dpkg"))
            .output()?)
    }

    fn install_stable(&self, status_of: impl Fn(&str) -> &'static str) -> Result<()> {
        let packages = fs::read_to_string(self.path().join("stable/Packages"))?;
        let mut status = String::new();
        let only_in_archives = ["Filename: ", "Size: ", "MD5sum: ", "SHA"];
        for line in packages
            .lines()
            .filter(|line| !only_in_archives.iter().any(|field| line.starts_with(field)))
        {
            writeln!(status, "{line}")?;
            if let Some(name) = line.strip_prefix("Package: ") {
                writeln!(status, "Status: {}", status_of(name))?;
                for part in ["list", "md5sums"] {
                    fs::write(self.root().join(format!("var/lib/dpkg/info/{name}.{part}")), "")?;
                }
            }
        }
        Ok(fs::write(self.root().join("var/lib/dpkg/status"), status)?)
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn root(&self) -> PathBuf {
        self.path().join("root")
    }
}
