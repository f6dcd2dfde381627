//! Everything that runs: clusters on the network, and the systems inside their guests.

use std::process::{Child, Stdio};
use std::sync::Arc;
use std::thread;

use anyhow::{Context, Result, anyhow};

use crate::guests::{Entrance, Guests, Id, Nature, Streams};
use crate::outcome::Outcome;
use crate::site::Site;
use crate::world::{Event, FileWork, Kind, Upid};

/// How much output of a command is kept, per stream.
pub(crate) const OUTPUT_LIMIT: u64 = 4 << 20;

/// The clusters and what is in their guests.
pub(crate) struct Lab {
    pub(crate) sites: Vec<Arc<Site>>,
    pub(crate) guests: Arc<Guests>,
    /// The names of the clusters, in the order of `sites`.
    pub(crate) names: Vec<String>,
}

impl Lab {
    /// The cluster of that name.
    pub(crate) fn site(&self, cluster: &str) -> Result<&Arc<Site>> {
        let at = self.names.iter().position(|name| name == cluster);
        at.map(|at| &self.sites[at])
            .with_context(|| format!("there is no cluster '{cluster}'; there are: {}", self.names.join(", ")))
    }

    /// Lets the systems inside follow what happened to their guest.
    pub(crate) fn follow(self: &Arc<Lab>, site: usize, event: Event) {
        let lab = Arc::clone(self);
        // Booting and waiting for a command take time.
        let follow = move || {
            if let Err(error) = lab.try_follow(site, event) {
                tracing::warn!(error = format!("{error:#}"), "a simulated guest does not follow");
            }
        };
        if let Err(error) = thread::Builder::new().name("guest".to_owned()).spawn(follow) {
            tracing::error!(%error, "cannot start a thread for a guest");
        }
    }

    /// How to enter a running container of a node.
    pub(crate) fn enter(&self, cluster: &str, node: &str, vmid: u32) -> Result<Entrance, String> {
        let site = self.site(cluster).map_err(|error| error.to_string())?;
        let nature = site.with(|cluster, _| match cluster.guest_on(node, Kind::Lxc, vmid) {
            None => Err(format!(
                "Configuration file 'nodes/{node}/lxc/{vmid}.conf' does not exist"
            )),
            Some(guest) => Nature::of(guest).ok_or_else(|| format!("container '{vmid}' not running!")),
        })?;
        self.guests
            .boot(&id(cluster, vmid), &nature)
            .map_err(|error| format!("{error:#}"))
    }

    /// Starts a command in a running guest.
    pub(crate) fn exec(&self, cluster: &str, vmid: u32, command: &[String], streams: Streams) -> Result<Child> {
        let nature = self.site(cluster)?.with(|cluster, _| {
            let guest = cluster
                .guests
                .get(&vmid)
                .with_context(|| format!("there is no guest {vmid}"))?;
            Nature::of(guest).with_context(|| format!("guest {vmid} is not running"))
        })?;
        self.guests.exec(&id(cluster, vmid), &nature, command, streams)
    }

    fn try_follow(&self, site: usize, event: Event) -> Result<()> {
        let name = &self.names[site];
        match event {
            Event::Deleted { vmid } => self.guests.delete(&id(name, vmid)),
            Event::Switched { vmid } => self.settle(site, vmid)?,
            Event::ConsoleCut { .. } => {}
            Event::Files { vmid, work, upid } => self.work_on_files(site, vmid, work, &upid),
            Event::Exec { vmid, command, upid } => self.exec_as_task(site, vmid, &command, &upid),
        }
        Ok(())
    }

    /// Brings the processes of a guest in line with its state: those of an earlier run end. A guest that was used
    /// before has services to start; others boot when they are first needed.
    pub(crate) fn settle(&self, site: usize, vmid: u32) -> Result<()> {
        let id = id(&self.names[site], vmid);
        let nature = self.sites[site].with(|cluster, _| cluster.guests.get(&vmid).and_then(Nature::of));
        self.guests
            .end_other_runs(&id, nature.as_ref().map(|nature| nature.run));
        match nature.filter(|_| self.guests.was_booted(&id)) {
            Some(nature) => self.guests.boot(&id, &nature).map(drop),
            None => Ok(()),
        }
    }

    /// Keeps, restores or forgets the files of a guest for a task, which ends with that.
    fn work_on_files(&self, site: usize, vmid: u32, work: FileWork, upid: &str) {
        let (id, name) = (id(&self.names[site], vmid), work.name().to_owned());
        let site = &self.sites[site];
        let os = site.with(|cluster, _| cluster.guests.get(&vmid).map(|guest| guest.os));
        let outcome = match (&work, os) {
            (_, None) => Err(anyhow!("the guest is gone")),
            (FileWork::Keep { .. }, _) => self.guests.keep_files(&id, &name),
            (FileWork::Restore { .. }, Some(os)) => self.guests.restore_files(&id, os, &name),
            (FileWork::Forget { .. }, _) => self.guests.forget_files(&id, &name),
        };
        let outcome = outcome.map_err(|error| format!("proxmox-sim: {error:#}").replace('\n', " "));
        let Some(upid) = Upid::parse(upid) else { return };
        site.with(|cluster, now| cluster.files_done(vmid, work, &upid, outcome, now));
    }

    /// Executes a command for a task, which gets its output as log and its end.
    fn exec_as_task(&self, site: usize, vmid: u32, command: &[String], upid: &str) {
        let (stdin, stdout, stderr) = (Stdio::null(), Stdio::piped(), Stdio::piped());
        let ran = self
            .exec(&self.names[site], vmid, command, Streams { stdin, stdout, stderr })
            .and_then(|child| Outcome::of(child, OUTPUT_LIMIT));
        let Some(upid) = Upid::parse(upid) else { return };
        self.sites[site].with(|cluster, now| {
            let end = match ran {
                Err(error) => Err(format!("{error:#}").replace('\n', " ")),
                Ok(outcome) => {
                    let text = [&outcome.stdout.bytes[..], &outcome.stderr.bytes].concat();
                    let lines = String::from_utf8_lossy(&text)
                        .lines()
                        .map(str::to_owned)
                        .collect::<Vec<_>>();
                    cluster
                        .task_mut(&upid)
                        .into_iter()
                        .for_each(|task| task.log.extend(lines.iter().cloned()));
                    if outcome.status.success() {
                        Ok(())
                    } else {
                        Err(format!("exit code {}", outcome.exit()))
                    }
                }
            };
            cluster.finish_task(&upid, now, end);
        });
    }
}

/// The guest with that number in that cluster.
pub(crate) fn id(cluster: &str, vmid: u32) -> Id {
    Id {
        cluster: cluster.to_owned(),
        vmid,
    }
}
