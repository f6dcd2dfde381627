//! The shells of simulated nodes: a line runs on this machine, with a `pct` that reaches the node's containers.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat};

use crate::guests::{Spawner, Streams, write_tools};
use crate::lab::Lab;
use crate::world::{Guest, Kind};

/// How long an answer to `pct` waits to be read.
const ANSWER_WAITS: Duration = Duration::from_secs(5);

/// The folders of the nodes' shells.
pub(crate) struct Nodes {
    folder: PathBuf,
    spawner: Spawner,
    pipes: Vec<PathBuf>,
}

/// Ends a thread that waits for requests.
const STOP: &str = "stop\n";

/// Programs that stand first in a node's PATH.
const TOOLS: [(&str, &str); 2] = [
    ("pct", include_str!("guests/tools/pct.sh")),
    ("id", include_str!("guests/tools/id.sh")),
];

impl Drop for Nodes {
    /// Ends the threads that wait for requests.
    fn drop(&mut self) {
        for pipe in &self.pipes {
            drop(send(pipe, STOP));
        }
    }
}

impl Nodes {
    /// Makes the nodes' shells, which ask `lab`.
    pub(crate) fn open(folder: PathBuf, spawner: Spawner, lab: &Arc<Lab>) -> Result<Nodes> {
        let mut pipes = Vec::new();
        for (name, site) in lab.names.iter().zip(&lab.sites) {
            for door in &site.doors {
                let node = folder.join(name).join(&door.node);
                write_tools(&node.join("bin"), TOOLS)?;
                let pipe = node.join("requests");
                listen(&pipe, name, &door.node, Arc::downgrade(lab))?;
                pipes.push(pipe);
            }
        }
        Ok(Nodes { folder, spawner, pipes })
    }

    /// Runs a line in the shell of a node.
    pub(crate) fn shell(&self, cluster: &str, node: &str, line: &str, streams: Streams) -> Result<Child> {
        let bin = self.folder.join(cluster).join(node).join("bin");
        let path = format!(
            "{}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            bin.display()
        );
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "sh", "-c", line]).env_clear();
        command.envs([
            ("PATH", path.as_str()),
            ("HOME", "/root"),
            ("USER", "root"),
            ("TERM", "linux"),
            ("LANG", "C.UTF-8"),
        ]);
        command
            .stdin(streams.stdin)
            .stdout(streams.stdout)
            .stderr(streams.stderr);
        self.spawner
            .spawn(command)
            .context("cannot start the shell of the node")
    }
}

/// Answers the requests of a node's `pct` as long as the lab exists.
fn listen(requests: &Path, cluster: &str, node: &str, lab: Weak<Lab>) -> Result<()> {
    drop(std::fs::remove_file(requests));
    mknodat(CWD, requests, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)
        .with_context(|| format!("cannot make the pipe {}", requests.display()))?;
    // Open for writing, too: then it does not end when a pct does.
    let pipe = OpenOptions::new().read(true).write(true).open(requests)?;
    let (cluster, node) = (cluster.to_owned(), node.to_owned());
    let serve = move || {
        for request in BufReader::new(pipe).lines().map_while(Result::ok) {
            let Some(lab) = lab.upgrade().filter(|_| request != STOP.trim()) else {
                return;
            };
            let (cluster, node) = (cluster.clone(), node.clone());
            thread::spawn(move || {
                let Some((reply, request)) = request.split_once(' ') else {
                    return;
                };
                let text = match answer(&lab, &cluster, &node, request) {
                    Ok(text) => format!("ok {text}\n"),
                    Err(text) => format!("error {text}\n"),
                };
                drop(lab);
                if let Err(error) = send(Path::new(reply), &text) {
                    tracing::debug!(%error, "pct did not wait for its answer");
                }
            });
        }
    };
    thread::Builder::new()
        .name(format!("pct {}", requests.display()))
        .spawn(serve)?;
    Ok(())
}

fn answer(lab: &Lab, cluster: &str, node: &str, request: &str) -> Result<String, String> {
    let (verb, of) = request.split_once(' ').unwrap_or((request, ""));
    if verb == "list" {
        return Ok(list(lab, cluster, node));
    }
    let vmid: u32 = of
        .parse()
        .map_err(|_| format!("400 Parameter verification failed.\nvmid: '{of}' is no VM ID"))?;
    match verb {
        "enter" => lab
            .enter(cluster, node, vmid)
            .map(|way| format!("{} {}", way.pid, way.options.join(" "))),
        "status" => status(lab, cluster, node, vmid),
        other => Err(format!("unknown request '{other}'")),
    }
}

fn status(lab: &Lab, cluster: &str, node: &str, vmid: u32) -> Result<String, String> {
    let site = lab.site(cluster).map_err(|error| error.to_string())?;
    site.with(|cluster, _| match cluster.guest_on(node, Kind::Lxc, vmid) {
        Some(guest) => Ok(word(guest).to_owned()),
        None => Err(format!(
            "Configuration file 'nodes/{node}/lxc/{vmid}.conf' does not exist"
        )),
    })
}

/// The table of `pct list`; nothing for a node without containers.
fn list(lab: &Lab, cluster: &str, node: &str) -> String {
    let Ok(site) = lab.site(cluster) else {
        return String::new();
    };
    site.with(|cluster, _| {
        let here = cluster
            .guests
            .values()
            .filter(|guest| guest.node == node && guest.kind == Kind::Lxc);
        let row =
            |id: &str, status: &str, lock: &str, name: &str| format!("{id:<10} {status:<10} {lock:<12} {name:<20}");
        let rows: Vec<String> = here
            .map(|guest| {
                row(
                    &guest.vmid.to_string(),
                    word(guest),
                    guest.lock().unwrap_or_default(),
                    &guest.name(),
                )
            })
            .collect();
        let heading = rows.first().map(|_| row("VMID", "Status", "Lock", "Name"));
        heading.into_iter().chain(rows).collect::<Vec<_>>().join("\n")
    })
}

fn word(guest: &Guest) -> &'static str {
    if guest.is_running() { "running" } else { "stopped" }
}

/// Writes into the pipe that `pct` is about to read. It may have been killed meanwhile.
fn send(reply: &Path, text: &str) -> Result<()> {
    let give_up = Instant::now() + ANSWER_WAITS;
    let mut pipe: File = loop {
        let nonblocking = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
        match OpenOptions::new().write(true).custom_flags(nonblocking).open(reply) {
            Ok(pipe) => break pipe,
            Err(error) if Instant::now() >= give_up => return Err(error.into()),
            Err(_) => thread::sleep(Duration::from_millis(5)),
        }
    };
    pipe.write_all(text.as_bytes()).context("the answer to pct")
}
