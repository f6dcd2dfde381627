//! Packages of Debian and Ubuntu guests: dpkg's list of what is installed, and archives with what is offered.
//!
//! The programs are the real ones of this machine; only their data is made here. The archives are read by apt's `copy`
//! method, so that a new offer shows up with the next `apt-get update` and not before.

mod deb;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use anyhow::Result;
use sha2::{Digest, Sha256};

use super::systems;
use crate::scenario::PackageSpec;
use crate::world::Os;
use deb::Package;

/// Where the archives are inside a guest.
const MIRROR: &str = "srv/mirror";

/// One archive suite.
struct Suite {
    /// Its folder below `dists`.
    name: String,
    origin: &'static str,
    label: &'static str,
    suite: String,
    version: &'static str,
    codename: &'static str,
    takes: fn(&PackageSpec) -> bool,
    /// Whether it has what is installed, too.
    is_main: bool,
}

/// Writes everything apt and dpkg need.
pub(super) fn lay_out(root: &Path, cache: &Path, os: Os, offers: &[PackageSpec]) -> Result<()> {
    for folder in [
        "etc/apt/apt.conf.d",
        "etc/apt/preferences.d",
        "etc/apt/sources.list.d",
        "etc/apt/trusted.gpg.d",
        "etc/dpkg/dpkg.cfg.d",
        "var/cache/apt/archives/partial",
        "var/lib/apt/lists/partial",
        "var/lib/dpkg/info",
        "var/lib/dpkg/updates",
        "var/lib/dpkg/triggers",
        "var/log/apt",
    ] {
        fs::create_dir_all(root.join(folder))?;
    }
    // A light guest has only one user.
    fs::write(root.join("etc/apt/apt.conf.d/10user"), "APT::Sandbox::User \"root\";\n")?;
    // Nobody misses what a crash of this machine loses.
    let settings = "no-debsig\nlog /var/log/dpkg.log\nforce-unsafe-io\n";
    fs::write(root.join("etc/dpkg/dpkg.cfg"), settings)?;
    let sources = suites(os)
        .into_iter()
        .map(|suite| format!("deb [trusted=yes] copy:/{MIRROR} {} main\n", suite.name));
    fs::write(root.join("etc/apt/sources.list"), sources.collect::<String>())?;
    let installed = installed(os, offers);
    let status = installed
        .iter()
        .map(|(name, version)| stanza(name, version, "Status: install ok installed\n"));
    fs::write(root.join("var/lib/dpkg/status"), status.collect::<String>())?;
    fs::write(root.join("var/lib/dpkg/available"), "")?;
    for (name, _) in &installed {
        write_list(root, name, &[])?;
    }
    for offer in offers {
        let package = offer.package(&offer.installed);
        write_list(root, &offer.name, &package.lay_files(root)?)?;
        if offer.service {
            enable(root, &offer.name)?;
        }
    }
    write_archives(root, cache, os, offers)
}

/// What dpkg knows of a package's files.
fn write_list(root: &Path, name: &str, files: &[String]) -> Result<()> {
    let list = root.join(format!("var/lib/dpkg/info/{name}.list"));
    fs::write(
        list,
        format!(
            "/.\n{}",
            files.iter().map(|file| format!("{file}\n")).collect::<String>()
        ),
    )?;
    Ok(())
}

fn enable(root: &Path, service: &str) -> Result<()> {
    let wants = root.join("etc/systemd/system/multi-user.target.wants");
    fs::create_dir_all(&wants)?;
    let unit = format!("/etc/systemd/system/{service}.service");
    symlink(unit, wants.join(format!("{service}.service")))?;
    Ok(())
}

impl PackageSpec {
    /// One version of it. A flaw is in what is offered, not in what was there before.
    fn package<'a>(&'a self, version: &'a str) -> Package<'a> {
        Package {
            name: &self.name,
            version,
            service: self.service,
            flaw: self.flaw.filter(|_| version == self.offered),
        }
    }
}

/// Writes the archives anew: what is offered, and the version before, to which one may go back.
pub(super) fn write_archives(root: &Path, cache: &Path, os: Os, offers: &[PackageSpec]) -> Result<()> {
    let mirror = root.join(MIRROR);
    let entry = |offer: &PackageSpec, version: &str| -> Result<Entry> {
        let built = offer.package(version).build(cache)?;
        Entry::of(&mirror, &offer.name, version, built.as_deref())
    };
    let before = offers
        .iter()
        .map(|offer| entry(offer, &offer.installed))
        .collect::<Result<Vec<_>>>()?;
    let now = offers
        .iter()
        .map(|offer| entry(offer, &offer.offered))
        .collect::<Result<Vec<_>>>()?;
    for suite in suites(os) {
        let mut entries: Vec<Entry> = Vec::new();
        if suite.is_main {
            let others = installed(os, offers).into_iter();
            let others = others.filter(|(name, _)| offers.iter().all(|offer| offer.name != *name));
            for (name, version) in others {
                entries.push(Entry::of(&mirror, &name, &version, None)?);
            }
            entries.extend(before.iter().cloned());
        }
        let taken = offers.iter().zip(&now).filter(|(offer, _)| (suite.takes)(offer));
        entries.extend(taken.map(|(_, entry)| entry.clone()));
        write_suite(&mirror.join("dists").join(&suite.name), &suite, &entries)?;
    }
    Ok(())
}

/// One package of an archive.
#[derive(Clone)]
struct Entry(String);

impl Entry {
    /// Puts the file where the archive says it is. Without one the entry is only to be looked at.
    fn of(mirror: &Path, name: &str, version: &str, file: Option<&Path>) -> Result<Entry> {
        let path = format!(
            "pool/main/{}/{name}/{name}_{version}_{}.deb",
            &name[..1],
            architecture()
        );
        let (size, digest) = match file {
            Some(file) => {
                let (to, content) = (mirror.join(&path), fs::read(file)?);
                fs::create_dir_all(to.with_file_name(""))?;
                fs::write(to, &content)?;
                (content.len(), Sha256::digest(&content))
            }
            None => (20_000 + path.len() * 1000, Sha256::digest(&path)),
        };
        let where_from = format!("Filename: {path}\nSize: {size}\nSHA256: {}\n", hex::encode(digest));
        Ok(Entry(stanza(name, version, &where_from)))
    }
}

/// The version in which a package is installed at the first boot.
pub(super) fn installed_version(os: Os, offers: &[PackageSpec], name: &str) -> Option<String> {
    if !systems::uses_apt(os) {
        return None;
    }
    installed(os, offers)
        .into_iter()
        .find(|(of, _)| of == name)
        .map(|(_, version)| version)
}

fn installed(os: Os, offers: &[PackageSpec]) -> Vec<(String, String)> {
    let base = match os {
        Os::Ubuntu => UBUNTU_BASE,
        _ => DEBIAN_BASE,
    };
    let others = base
        .iter()
        .filter(|(name, _)| offers.iter().all(|offer| offer.name != *name));
    let others = others.map(|(name, version)| (name.to_string(), version.to_string()));
    others
        .chain(offers.iter().map(|offer| (offer.name.clone(), offer.installed.clone())))
        .collect()
}

fn suites(os: Os) -> Vec<Suite> {
    let codename = systems::of(os).codename;
    match os {
        Os::Ubuntu => {
            let suite = |pocket: &str, takes, is_main| Suite {
                name: format!("{codename}{pocket}"),
                origin: "Ubuntu",
                label: "Ubuntu",
                suite: format!("{codename}{pocket}"),
                version: "24.04",
                codename,
                takes,
                is_main,
            };
            // Security updates are in both pockets.
            vec![
                suite("", |_| false, true),
                suite("-updates", |_| true, false),
                suite("-security", |offer| offer.security, false),
            ]
        }
        _ => {
            let suite = |pocket: &str, label, version, takes, is_main| Suite {
                name: format!("{codename}{pocket}"),
                origin: "Debian",
                label,
                suite: format!("oldstable{pocket}"),
                version,
                codename,
                takes,
                is_main,
            };
            // What is not about security comes with a point release of the main suite.
            vec![
                suite("", "Debian", "12.11", |offer| !offer.security, true),
                suite("-security", "Debian-Security", "12", |offer| offer.security, false),
            ]
        }
    }
}

fn write_suite(folder: &Path, suite: &Suite, packages: &[Entry]) -> Result<()> {
    let arch = architecture();
    let index = format!("main/binary-{arch}/Packages");
    let text: String = packages.iter().map(|entry| entry.0.as_str()).collect();
    fs::create_dir_all(folder.join(&index).with_file_name(""))?;
    fs::write(folder.join(&index), &text)?;
    let Suite {
        origin,
        label,
        suite,
        version,
        codename,
        name,
        ..
    } = suite;
    let codename = if name.ends_with("security") && *origin == "Debian" {
        format!("{codename}-security")
    } else {
        (*codename).to_owned()
    };
    let sum = hex::encode(Sha256::digest(&text));
    let release = format!(
        "Origin: {origin}\nLabel: {label}\nSuite: {suite}\nVersion: {version}\nCodename: {codename}\n\
         Date: Sat, 17 May 2025 09:00:00 UTC\nArchitectures: {arch}\nComponents: main\n\
         Description: {label} {version}\nSHA256:\n {sum} {} {index}\n",
        text.len()
    );
    fs::write(folder.join("Release"), release)?;
    Ok(())
}

fn stanza(name: &str, version: &str, extra: &str) -> String {
    let arch = architecture();
    format!(
        "Package: {name}\n{extra}Priority: optional\nSection: admin\nInstalled-Size: 120\n\
         Maintainer: Maintainers of {name} <{name}@packages.invalid>\nArchitecture: {arch}\nVersion: {version}\n\
         Description: {name}\n Package {name} of a simulated guest.\n\n"
    )
}

/// Debian's word for the architecture of this machine, which dpkg has compiled in.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

const DEBIAN_BASE: &[(&str, &str)] = &[
    ("adduser", "3.134"),
    ("apt", "2.6.1"),
    ("base-files", "12.4+deb12u11"),
    ("bash", "5.2.15-2+b8"),
    ("coreutils", "9.1-1"),
    ("curl", "7.88.1-10+deb12u12"),
    ("dpkg", "1.21.22"),
    ("libc6", "2.36-9+deb12u10"),
    ("libssl3", "3.0.16-1~deb12u1"),
    ("openssh-server", "1:9.2p1-2+deb12u6"),
    ("openssl", "3.0.16-1~deb12u1"),
    ("perl-base", "5.36.0-7+deb12u2"),
    ("sudo", "1.9.13p3-1+deb12u1"),
    ("systemd", "252.38-1~deb12u1"),
    ("tzdata", "2025b-0+deb12u1"),
    ("zlib1g", "1:1.2.13.dfsg-1"),
];

const UBUNTU_BASE: &[(&str, &str)] = &[
    ("adduser", "3.137ubuntu1"),
    ("apt", "2.8.3"),
    ("base-files", "13ubuntu10.3"),
    ("bash", "5.2.21-2ubuntu4"),
    ("coreutils", "9.4-3ubuntu6.1"),
    ("curl", "8.5.0-2ubuntu10.6"),
    ("dpkg", "1.22.6ubuntu6.5"),
    ("libc6", "2.39-0ubuntu8.6"),
    ("libssl3t64", "3.0.13-0ubuntu3.6"),
    ("openssh-server", "1:9.6p1-3ubuntu13.14"),
    ("openssl", "3.0.13-0ubuntu3.6"),
    ("perl-base", "5.38.2-3.2ubuntu0.2"),
    ("sudo", "1.9.15p5-3ubuntu5.24.04.1"),
    ("systemd", "255.4-1ubuntu8.11"),
    ("tzdata", "2025b-0ubuntu0.24.04.1"),
    ("zlib1g", "1:1.3.dfsg-3.1ubuntu2.1"),
];
