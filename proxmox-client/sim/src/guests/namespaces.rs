//! Boots a guest: unshare(1) makes its namespaces, a script its file system.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, anyhow, bail};
use rustix::process::{Pid, Signal, kill_process};

use super::{Nature, Spawner, systems};

const SETUP: &str = include_str!("tools/setup.sh");

/// The first process of a running guest. Dropping it ends the guest.
pub(super) struct Init {
    /// unshare(1), whose death kills the first process.
    child: Child,
    pid: u32,
}

impl Init {
    /// Its number on this machine.
    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    /// Whether the guest ended by itself.
    pub(super) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Init {
    fn drop(&mut self) {
        // The kernel lets a first process end only after all others of its namespace, and unshare waits for it.
        let killed = i32::try_from(self.pid)
            .ok()
            .and_then(Pid::from_raw)
            .map(|pid| kill_process(pid, Signal::KILL));
        if !matches!(killed, Some(Ok(()))) {
            drop(self.child.kill());
        }
        drop(self.child.wait());
    }
}

/// The namespaces of a guest, as options of nsenter(1) and unshare(1).
pub(super) fn options(networked: bool) -> &'static [&'static str] {
    let all = &["--user", "--mount", "--pid", "--uts", "--ipc", "--net"];
    if networked { &all[..5] } else { all }
}

/// Boots a guest from its files and waits until its services are started.
pub(super) fn boot(spawner: &Spawner, tools: &Path, root: &Path, nature: &Nature) -> Result<Init> {
    let mut command = Command::new("setpriv");
    command
        .args(["--pdeathsig", "KILL", "unshare"])
        .args(options(nature.networked));
    command.args(["--map-root-user", "--fork", "--kill-child", "sh", "-c", SETUP, "setup"]);
    command
        .arg(root)
        .arg(tools)
        .arg(systems::hidden(nature.os))
        .arg(&nature.name);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .env_clear();
    command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    let mut child = spawner.spawn(command)?;
    let said = child.stdout.take().context("the guest's output")?;
    match wait_until_ready(said) {
        Some(pid) => Ok(Init { child, pid }),
        None => {
            let mut complaint = String::new();
            if let Some(stderr) = &mut child.stderr {
                stderr.read_to_string(&mut complaint).context("the guest's errors")?;
            }
            drop(child.wait());
            Err(why_not(complaint.trim()))
        }
    }
}

/// Reads until `ready`; the process id comes before.
fn wait_until_ready(said: impl Read) -> Option<u32> {
    let mut pid = None;
    for line in BufReader::new(said).lines() {
        let line = line.ok()?;
        match line.strip_prefix("pid ") {
            Some(number) => pid = number.parse().ok(),
            None if line == "ready" => return pid,
            None => {}
        }
    }
    None
}

/// Says what to change where the kernel forbids user namespaces.
fn why_not(complaint: &str) -> anyhow::Error {
    match forbidding_setting() {
        Some(setting) => anyhow!(
            "this kernel lets nobody make user namespaces, in which the simulated guests run ({complaint}); allow it \
             with: sudo sysctl -w {setting}"
        ),
        None => anyhow!("the guest does not boot: {complaint}"),
    }
}

fn forbidding_setting() -> Option<&'static str> {
    let is = |path: &str, value: &str| fs::read_to_string(path).is_ok_and(|text| text.trim() == value);
    if is("/proc/sys/kernel/unprivileged_userns_clone", "0") {
        return Some("kernel.unprivileged_userns_clone=1");
    }
    if is("/proc/sys/user/max_user_namespaces", "0") {
        return Some("user.max_user_namespaces=10000");
    }
    is("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1")
        .then_some("kernel.apparmor_restrict_unprivileged_userns=0")
}

/// Whether guests can run on this machine; the error says what to change.
pub fn check() -> Result<()> {
    let tried = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "true"])
        .output();
    let tried = tried.context("cannot start unshare: is util-linux installed?")?;
    if !tried.status.success() {
        bail!(why_not(String::from_utf8_lossy(&tried.stderr).trim()));
    }
    Ok(())
}
