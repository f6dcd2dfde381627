//! One cluster: its nodes, guests, tasks, and how they change with time.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::console::Consoles;
use super::guest::Published;
use super::timeline::{Becomes, Timeline};
use super::{
    Access, Archive, Figures, FileWork, Guest, Kind, Millis, Node, Release, Run, Step, Storage, Task, Tickets, Upid,
};

/// How often pvestatd tells the cluster about its node and guests.
pub(crate) const REPORT_EVERY: Millis = 10_000;

/// How long the last report of a dead node is shown.
pub(crate) const REPORT_LINGERS: Millis = 300_000;

/// How many ended tasks are remembered per cluster.
const TASKS_KEPT: usize = 2000;

/// A Proxmox VE cluster, or a node that is in none.
pub(crate) struct Cluster {
    pub(crate) name: String,
    pub(crate) release: Release,
    /// A single node that never joined a cluster.
    pub(crate) standalone: bool,
    pub(crate) nodes: Vec<Node>,
    pub(crate) guests: BTreeMap<u32, Guest>,
    pub(crate) storages: Vec<Storage>,
    pub(crate) archives: Vec<Archive>,
    pub(crate) pools: BTreeMap<String, BTreeSet<u32>>,
    pub(crate) access: Access,
    pub(crate) figures: Figures,
    pub(crate) tickets: Tickets,
    pub(crate) consoles: Consoles,
    /// Whether this installation has the (not existing in Proxmox VE) call to execute in a container.
    pub(crate) lxc_exec: bool,
    /// How long the first start after the rollback of a running container is held up.
    pub(crate) slow_mount: Millis,
    tasks: VecDeque<Task>,
    timeline: Timeline,
    events: Vec<Event>,
    next_pid: u32,
}

/// What the surroundings of the world must follow: processes of guests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// A guest was switched on or off.
    Switched { vmid: u32 },
    /// A guest is gone.
    Deleted { vmid: u32 },
    /// Somebody stopped the task of a console.
    ConsoleCut { upid: String },
    /// The files of a guest are to be kept, returned to or forgotten; the task ends with that.
    Files { vmid: u32, work: FileWork, upid: String },
    /// A command is to be executed in a guest; its task ends with it.
    Exec {
        vmid: u32,
        command: Vec<String>,
        upid: String,
    },
}

impl Cluster {
    /// A cluster without nodes and guests.
    pub(crate) fn new(name: &str, release: Release, standalone: bool, seed: u64) -> Cluster {
        Cluster {
            name: name.to_owned(),
            release,
            standalone,
            nodes: Vec::new(),
            guests: BTreeMap::new(),
            storages: Vec::new(),
            archives: Vec::new(),
            pools: BTreeMap::new(),
            access: Access::built_in(release),
            figures: Figures::of(seed, name),
            tickets: Tickets::of(Figures::of(seed, name)),
            consoles: Consoles::default(),
            lxc_exec: false,
            slow_mount: 0,
            tasks: VecDeque::new(),
            timeline: Timeline::default(),
            events: Vec::new(),
            next_pid: 1200,
        }
    }

    /// Lets everything happen that is due: steps of operations, ends of tasks, reports of the nodes.
    pub(crate) fn advance(&mut self, now: Millis) {
        while let Some((at, step)) = self.timeline.take_due(now) {
            match step {
                Step::Guest { vmid, becomes } => self.guest_becomes(vmid, becomes, at),
                Step::EndTask { upid, outcome } => self.finish_task(&upid, at, outcome),
                Step::BackupMade { archive, job } => self.backup_made(archive, job, at),
                Step::ConsoleGivesUp { node, port, upid } => self.console_gives_up(node, port, &upid, at),
            }
        }
        let due = |node: &Node| node.published_at.is_none_or(|at| now >= at + REPORT_EVERY);
        for index in 0..self.nodes.len() {
            if self.nodes[index].online && due(&self.nodes[index]) {
                self.report(index, now);
            }
        }
    }

    /// What happened since this was last called.
    pub(crate) fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// Has something done outside of the world.
    pub(crate) fn emit(&mut self, event: Event) {
        self.events.push(event);
    }

    /// The node of that name.
    pub(crate) fn node(&self, name: &str) -> Option<&Node> {
        self.nodes.iter().find(|node| node.name == name)
    }

    /// The node of that name.
    pub(crate) fn node_mut(&mut self, name: &str) -> Option<&mut Node> {
        self.nodes.iter_mut().find(|node| node.name == name)
    }

    /// The guest of that kind on that node.
    pub(crate) fn guest_on(&self, node: &str, kind: Kind, vmid: u32) -> Option<&Guest> {
        self.guests
            .get(&vmid)
            .filter(|guest| guest.node == node && guest.kind == kind)
    }

    /// Whether enough nodes are there for the cluster to be changed.
    pub(crate) fn is_quorate(&self) -> bool {
        self.nodes.iter().filter(|node| node.online).count() * 2 > self.nodes.len()
    }

    /// The pools that hold what an ACL path names.
    pub(crate) fn pools_of(&self, path: &str) -> Vec<String> {
        let Some(vmid) = path.strip_prefix("/vms/").and_then(|id| id.parse::<u32>().ok()) else {
            return Vec::new();
        };
        self.pools
            .iter()
            .filter(|(_, members)| members.contains(&vmid))
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// Whether `who` has the privilege on the path.
    pub(crate) fn allows(&self, who: &str, path: &str, privilege: &str) -> bool {
        let pools = self.pools_of(path);
        let pools: Vec<&str> = pools.iter().map(String::as_str).collect();
        self.access.privileges(who, path, &pools).contains_key(privilege)
    }

    /// Adds a guest; a running one has a process at once.
    pub(crate) fn add_guest(&mut self, mut guest: Guest, running_since: Option<Millis>) {
        let pid = self.take_pid();
        guest.run = running_since.map_or(Run::Stopped, |since| Run::Running { since, pid: Some(pid) });
        if running_since.is_some() {
            self.events.push(Event::Switched { vmid: guest.vmid });
        }
        self.guests.insert(guest.vmid, guest);
    }

    /// Takes a guest away.
    pub(crate) fn remove_guest(&mut self, vmid: u32) -> Option<Guest> {
        let guest = self.guests.remove(&vmid)?;
        for members in self.pools.values_mut() {
            members.remove(&vmid);
        }
        self.events.push(Event::Deleted { vmid });
        Some(guest)
    }

    /// Begins a task on a node and names it.
    pub(crate) fn begin_task(&mut self, node: &str, kind: String, id: String, user: &str, now: Millis) -> Upid {
        let booted_at = self.node(node).map_or(now, |node| node.booted_at);
        let upid = Upid {
            node: node.to_owned(),
            pid: self.take_pid(),
            pstart: now.saturating_sub(booted_at) / 10,
            starttime: now / 1000,
            kind,
            id,
            user: user.to_owned(),
        };
        self.tasks.push_back(Task {
            upid: upid.clone(),
            log: Vec::new(),
            end: None,
        });
        if self.tasks.len() > TASKS_KEPT
            && let Some(oldest_ended) = self.tasks.iter().position(|task| task.end.is_some())
        {
            self.tasks.remove(oldest_ended);
        }
        upid
    }

    /// Lets a step happen later.
    pub(crate) fn later(&mut self, at: Millis, step: Step) {
        self.timeline.add(at, step);
    }

    /// Adds a line to the log of a task that has not ended.
    pub(crate) fn log(&mut self, upid: &Upid, line: String) {
        if let Some(task) = self.task_mut(upid).filter(|task| task.end.is_none()) {
            task.log.push(line);
        }
    }

    /// Ends a task.
    pub(crate) fn finish_task(&mut self, upid: &Upid, now: Millis, outcome: Result<(), String>) {
        if let Some(task) = self.task_mut(upid) {
            task.finish(now, outcome);
        }
    }

    /// Stops a task as a signal does, with all that it would still have done.
    pub(crate) fn interrupt_task(&mut self, upid: &Upid, now: Millis) {
        if self.task_mut(upid).is_some_and(|task| task.end.is_none()) {
            if self.consoles.has(upid) {
                self.timeline.cancel(upid, None);
                self.consoles.remove(upid);
                self.events.push(Event::ConsoleCut { upid: upid.to_string() });
            } else {
                self.timeline.cancel(upid, upid.id.parse().ok());
                self.unlock_after_backup(upid);
            }
            self.finish_task(upid, now, Err("received interrupt".to_owned()));
        }
    }

    /// The task of that name.
    pub(crate) fn task(&self, upid: &Upid) -> Option<&Task> {
        self.tasks.iter().rev().find(|task| task.upid == *upid)
    }

    /// The task of that name.
    pub(crate) fn task_mut(&mut self, upid: &Upid) -> Option<&mut Task> {
        self.tasks.iter_mut().rev().find(|task| task.upid == *upid)
    }

    /// All tasks, the newest first.
    pub(crate) fn tasks(&self) -> impl Iterator<Item = &Task> {
        self.tasks.iter().rev()
    }

    /// Changes a guest's state now.
    pub(crate) fn guest_becomes(&mut self, vmid: u32, becomes: Becomes, now: Millis) {
        let pid = self.take_pid();
        let Some(guest) = self.guests.get_mut(&vmid) else {
            return;
        };
        guest.run = becomes.run(now, pid);
        guest.paused = false;
        if becomes == Becomes::Stopped {
            guest.config.apply_pending();
        }
        self.events.push(Event::Switched { vmid });
    }

    /// Switches a node off (its guests die with it) or on (they are started again).
    pub(crate) fn set_online(&mut self, name: &str, online: bool, now: Millis) -> bool {
        let Some(node) = self.node_mut(name) else { return false };
        if node.online == online {
            return true;
        }
        node.online = online;
        if online {
            node.booted_at = now;
            node.published_at = None;
        }
        let on_it = self.guests.values().filter(|guest| guest.node == name);
        let affected: Vec<u32> = match online {
            true => on_it
                .filter(|guest| guest.number("onboot", 0) == 1)
                .map(|guest| guest.vmid)
                .collect(),
            false => on_it
                .filter(|guest| guest.is_running())
                .map(|guest| guest.vmid)
                .collect(),
        };
        for vmid in affected {
            self.guest_becomes(vmid, if online { Becomes::Running } else { Becomes::Stopped }, now);
        }
        true
    }

    /// pvestatd's round on one node.
    fn report(&mut self, node: usize, now: Millis) {
        self.nodes[node].published_at = Some(now);
        let name = &self.nodes[node].name;
        for guest in self.guests.values_mut().filter(|guest| guest.node == *name) {
            guest.published = Some(Published {
                at: now,
                run: guest.run,
                status: guest.qemu_status(),
                name: guest.name(),
            });
        }
    }

    fn take_pid(&mut self) -> u32 {
        self.next_pid = if self.next_pid > 4_000_000 {
            1200
        } else {
            self.next_pid + 7
        };
        self.next_pid
    }
}
