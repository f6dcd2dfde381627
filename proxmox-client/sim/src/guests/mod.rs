//! What runs inside the simulated guests: light systems made of namespaces, started when they are first needed.
//!
//! A light guest has its own users, processes, mounts and host name, and its own /etc /var /opt /usr/local /run /tmp
//! /root. Programs come read-only from /usr of this machine. It needs no root. All its processes end with it, and with
//! the simulator.

mod apk;
mod apt;
mod namespaces;
mod pacman;
mod skeleton;
mod snapshots;
mod spawner;
mod systems;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};

use crate::scenario::{Flaw, PackageSpec};
use crate::world::{ConsoleMode, Guest, Os, Run, Shell};
use namespaces::Init;
pub use namespaces::check;
pub(crate) use spawner::Spawner;

/// Which guest: the cluster's name and the guest's number.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Id {
    pub(crate) cluster: String,
    pub(crate) vmid: u32,
}

/// What the system inside a guest is to be like.
#[derive(Debug, Clone)]
pub(crate) struct Nature {
    pub(crate) name: String,
    pub(crate) os: Os,
    /// What root has as shell, on its consoles and over SSH.
    pub(crate) shell: Shell,
    /// Whether it shares the network of this machine, or has none.
    pub(crate) networked: bool,
    /// Changes with every start of the guest: processes of another run do not belong to this one.
    pub(crate) run: u32,
}

impl Nature {
    /// What runs in a guest; nothing if it is off or on its way.
    pub(crate) fn of(guest: &Guest) -> Option<Nature> {
        let Run::Running { pid: Some(run), .. } = guest.run else {
            return None;
        };
        Some(Nature {
            name: guest.name(),
            os: guest.os,
            shell: guest.shell,
            networked: guest.networked,
            run,
        })
    }
}

/// A version of a package that is to be offered.
pub(crate) struct NewVersion {
    pub(crate) name: String,
    pub(crate) version: String,
    /// Whether it is offered in the security archive.
    pub(crate) security: bool,
    pub(crate) flaw: Option<Flaw>,
}

/// Standard input, output and error of a command.
pub(crate) struct Streams {
    pub(crate) stdin: Stdio,
    pub(crate) stdout: Stdio,
    pub(crate) stderr: Stdio,
}

/// The light guests of all clusters.
pub(crate) struct Guests {
    folder: PathBuf,
    spawner: Spawner,
    slots: Mutex<HashMap<Id, Arc<Slot>>>,
}

/// The system of one guest with the run that it belongs to. Locked while it boots, so that it boots once.
#[derive(Default)]
struct Slot(Mutex<Option<(u32, Init)>>);

/// The version in which a package is installed at the first boot.
fn installed_version(os: Os, offers: &[PackageSpec], name: &str) -> Option<String> {
    let installed = match os {
        Os::Debian | Os::Ubuntu => return apt::installed_version(os, offers, name),
        Os::Arch => pacman::installed(offers),
        Os::Alpine => apk::installed(offers),
        Os::Fedora | Os::OpenSuse => return None,
    };
    installed
        .into_iter()
        .find(|(of, _)| of == name)
        .map(|(_, version)| version)
}

/// What is installed: what every guest of a system has, and what is offered in a newer version.
fn with_base(base: &[(&str, &str)], offers: &[PackageSpec]) -> Vec<(String, String)> {
    let others = base
        .iter()
        .filter(|(name, _)| offers.iter().all(|offer| offer.name != *name))
        .map(|(name, version)| ((*name).to_owned(), (*version).to_owned()));
    let offered = offers.iter().map(|offer| (offer.name.clone(), offer.installed.clone()));
    others.chain(offered).collect()
}

impl Guests {
    /// Guests whose files are kept in `folder`.
    pub(crate) fn new(folder: PathBuf, spawner: Spawner) -> Guests {
        Guests {
            folder,
            spawner,
            slots: Mutex::default(),
        }
    }

    /// Whether there are files of it from an earlier boot.
    pub(crate) fn was_booted(&self, id: &Id) -> bool {
        self.root(id).join("etc").is_dir()
    }

    /// Boots the guest unless it runs, and says how to enter it.
    pub(crate) fn boot(&self, id: &Id, nature: &Nature) -> Result<Entrance> {
        let slot = self.slot(id);
        let mut running = slot.lock();
        let is_up = running
            .as_mut()
            .is_some_and(|(run, init)| *run == nature.run && !init.has_ended());
        if !is_up {
            // The old processes end before new ones start.
            *running = None;
            let root = self.root(id);
            skeleton::lay_out(&root, &self.cache(), nature, &self.offers(id))?;
            let init = namespaces::boot(&self.spawner, &self.tools(nature.os)?, &root, nature)?;
            *running = Some((nature.run, init));
        }
        let (_, init) = running.as_ref().context("the guest was stopped while it booted")?;
        Ok(Entrance {
            pid: init.pid(),
            options: namespaces::options(nature.networked),
        })
    }

    /// Ends all processes of a guest that do not belong to the given run.
    pub(crate) fn end_other_runs(&self, id: &Id, run: Option<u32>) {
        let slot = self.slot(id);
        let mut running = slot.lock();
        if running.as_ref().is_some_and(|(of, _)| Some(*of) != run) {
            *running = None;
        }
    }

    /// Ends all processes of a guest and takes its files away.
    pub(crate) fn delete(&self, id: &Id) {
        self.end_other_runs(id, None);
        let folder = self.folder_of(id);
        if folder.exists()
            && let Err(error) = fs::remove_dir_all(&folder)
        {
            tracing::warn!(%error, folder = %folder.display(), "cannot remove the files of a deleted guest");
        }
    }

    /// Ends the processes of all guests.
    pub(crate) fn stop_all(&self) {
        let slots: Vec<Arc<Slot>> = self.lock_slots().values().cloned().collect();
        slots.iter().for_each(|slot| *slot.lock() = None);
    }

    /// Starts a command in a guest, which boots if it has to.
    pub(crate) fn exec(&self, id: &Id, nature: &Nature, command: &[String], streams: Streams) -> Result<Child> {
        let entrance = self.boot(id, nature)?;
        let mut enter = entrance.command();
        enter
            .args(command)
            .stdin(streams.stdin)
            .stdout(streams.stdout)
            .stderr(streams.stderr);
        self.spawn(enter).context("cannot enter the guest")
    }

    /// The same with the environment of a service.
    pub(crate) fn exec_as_service(
        &self,
        id: &Id,
        nature: &Nature,
        command: &[String],
        streams: Streams,
    ) -> Result<Child> {
        let mut enter = self.boot(id, nature)?.nsenter();
        enter
            .args(["env", "-i", "--chdir=/", "LANG=C.UTF-8", PATH])
            .args(command);
        enter.stdin(streams.stdin).stdout(streams.stdout).stderr(streams.stderr);
        self.spawn(enter).context("cannot enter the guest")
    }

    /// Whether a guest has a program of that name or path.
    pub(crate) fn has_program(&self, id: &Id, nature: &Nature, program: &str) -> Result<bool> {
        let pid = self.boot(id, nature)?.pid;
        let root = Path::new("/proc").join(pid.to_string()).join("root");
        let is_there = |path: &str| fs::symlink_metadata(root.join(path.trim_start_matches('/'))).is_ok();
        let folders = PATH.trim_start_matches("PATH=").split(':');
        Ok(match program.starts_with('/') {
            true => is_there(program),
            false => folders
                .into_iter()
                .any(|folder| is_there(&format!("{folder}/{program}"))),
        })
    }

    /// Starts a process that ends with the simulator.
    pub(crate) fn spawn(&self, command: Command) -> Result<Child> {
        self.spawner.spawn(command)
    }

    /// What runs on the console of a guest, with little in its environment (PVE/LXC.pm; lxc's attach.c). From another
    /// node it begins in root's folder.
    pub(crate) fn console_program(&self, id: &Id, entrance: &Entrance, mode: ConsoleMode, by_ssh: bool) -> Command {
        let mut command = entrance.nsenter();
        let folder = if by_ssh { "--chdir=/root" } else { "--chdir=/" };
        command.args([
            "env",
            "-i",
            folder,
            "container=lxc",
            "TERM=linux",
            PATH,
            "setsid",
            "--ctty",
        ]);
        match mode {
            ConsoleMode::Shell => command.arg(self.shell_of_root(id)),
            ConsoleMode::Tty => command.args(["sh", "/run/proxmox-sim/getty"]),
            ConsoleMode::Console => command.args(["sleep", "infinity"]),
        };
        command
    }

    fn shell_of_root(&self, id: &Id) -> String {
        let users = fs::read_to_string(self.root(id).join("etc/passwd")).unwrap_or_default();
        let root = users.lines().find(|line| line.split(':').nth(2) == Some("0"));
        let shell = root
            .and_then(|line| line.rsplit(':').next())
            .filter(|shell| !shell.is_empty());
        shell.unwrap_or("/bin/sh").to_owned()
    }

    /// Offers a package in the archives that the guest asks the next time its package lists are fetched.
    ///
    /// False if the package is not installed in it.
    pub(crate) fn publish(&self, id: &Id, os: Os, new: &NewVersion) -> Result<bool> {
        let name = &new.name;
        let mut offers = self.offers(id);
        let Some(installed) = installed_version(os, &offers, name) else {
            return Ok(false);
        };
        let service = offers.iter().any(|offer| offer.name == *name && offer.service);
        offers.retain(|offer| offer.name != *name);
        offers.push(PackageSpec {
            security: new.security,
            service,
            flaw: new.flaw,
            ..PackageSpec::update(name, &installed, &new.version)
        });
        let folder = self.folder_of(id);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(OFFERS), serde_json::to_string_pretty(&offers)?)?;
        if self.was_booted(id) {
            let root = self.root(id);
            match os {
                Os::Debian | Os::Ubuntu => apt::write_archives(&root, &self.cache(), os, &offers)?,
                Os::Arch => pacman::write_repository(&root, &offers)?,
                Os::Alpine => apk::write_index(&root, &offers)?,
                Os::Fedora | Os::OpenSuse => {}
            }
        }
        Ok(true)
    }

    /// Says what a guest's archives offer, unless something was published before.
    pub(crate) fn describe(&self, id: &Id, offers: &[PackageSpec]) -> Result<()> {
        let file = self.folder_of(id).join(OFFERS);
        if offers.is_empty() || file.exists() {
            return Ok(());
        }
        fs::create_dir_all(self.folder_of(id))?;
        fs::write(&file, serde_json::to_string_pretty(offers)?)
            .with_context(|| format!("cannot write {}", file.display()))
    }

    fn offers(&self, id: &Id) -> Vec<PackageSpec> {
        let text = fs::read_to_string(self.folder_of(id).join(OFFERS)).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    fn folder_of(&self, id: &Id) -> PathBuf {
        self.folder.join(&id.cluster).join(id.vmid.to_string())
    }

    fn root(&self, id: &Id) -> PathBuf {
        self.folder_of(id).join("root")
    }

    /// Packages that were built for guests.
    fn cache(&self) -> PathBuf {
        self.folder.join("packages")
    }

    /// The folder with the scripted programs of a system.
    fn tools(&self, os: Os) -> Result<PathBuf> {
        let folder = self.folder.join("tools").join(systems::of(os).id);
        write_tools(&folder, systems::tools(os))?;
        Ok(folder)
    }

    fn slot(&self, id: &Id) -> Arc<Slot> {
        Arc::clone(self.lock_slots().entry(id.clone()).or_default())
    }

    fn lock_slots(&self) -> MutexGuard<'_, HashMap<Id, Arc<Slot>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The file with what a guest's archives offer.
const OFFERS: &str = "offers.json";

impl Slot {
    fn lock(&self) -> MutexGuard<'_, Option<(u32, Init)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How to enter a running guest.
pub(crate) struct Entrance {
    /// Its first process.
    pub(crate) pid: u32,
    /// The namespaces, as options of nsenter(1).
    pub(crate) options: &'static [&'static str],
}

impl Entrance {
    /// nsenter(1) with a clean environment; the command to run is to be added.
    fn command(&self) -> Command {
        let mut command = self.nsenter();
        command.args(["env", "-i", "HOME=/root", "container=lxc", "TERM=linux", PATH]);
        command
    }

    fn nsenter(&self) -> Command {
        let mut command = Command::new("nsenter");
        command
            .args(self.options)
            .args(["--target", &self.pid.to_string(), "--preserve-credentials"])
            .args(["--root", "--wd", "--"]);
        command
    }
}

const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Writes scripts into a folder and makes them executable.
pub(crate) fn write_tools<'a>(folder: &Path, tools: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for (name, text) in tools {
        // Another guest may be reading the old one: replace it, do not write into it.
        let (file, new) = (folder.join(name), folder.join(format!("{name}.part")));
        if fs::read_to_string(&file).is_ok_and(|old| old == text) {
            continue;
        }
        fs::write(&new, text)?;
        fs::set_permissions(&new, fs::Permissions::from_mode(0o755))?;
        fs::rename(&new, &file).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}
