//! Consoles of containers, as far as the API knows of them: a terminal program waits on a port of the node that was
//! asked, for one client that has the ticket.

use std::collections::BTreeMap;

use super::{Cluster, Millis, Step, Upid};

/// The ports of terminal programs.
const PORTS: std::ops::RangeInclusive<u16> = 5900..=5999;

/// How long a terminal program waits for its client.
const WAITS: Millis = 10_000;

/// What the console of a container shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConsoleMode {
    /// A login.
    Tty,
    /// What the first process prints.
    Console,
    /// A shell of root.
    Shell,
}

/// A terminal program that was started for somebody.
#[derive(Debug, Clone)]
pub(crate) struct Console {
    /// Its task.
    pub(crate) upid: Upid,
    /// Who asked for it: what its client has to say first.
    pub(crate) user: String,
    /// What the client has to say after that.
    pub(crate) ticket: String,
    pub(crate) vmid: u32,
    /// The node of the container, which need not be the one that was asked.
    pub(crate) owner: String,
    /// What was in force when it was started.
    pub(crate) mode: ConsoleMode,
    /// Whether the packages of the node let in whoever asked.
    pub(crate) lets_in: bool,
    /// The command line, which the task's error tells.
    pub(crate) command: String,
    /// Whether its client is there.
    taken: bool,
}

/// The terminal programs of a cluster by node and port.
#[derive(Debug, Default)]
pub(crate) struct Consoles(BTreeMap<(String, u16), Console>);

impl Consoles {
    /// The first port of a node that is free.
    pub(crate) fn free_port(&self, node: &str) -> Option<u16> {
        PORTS
            .into_iter()
            .find(|port| !self.0.contains_key(&(node.to_owned(), *port)))
    }

    /// Whether the task is that of a terminal program.
    pub(crate) fn has(&self, upid: &Upid) -> bool {
        self.0.values().any(|console| console.upid == *upid)
    }

    /// Lets a client in: once, and only while the terminal program waits.
    pub(crate) fn take(&mut self, node: &str, port: u16) -> Option<Console> {
        let console = self
            .0
            .get_mut(&(node.to_owned(), port))
            .filter(|console| !console.taken)?;
        console.taken = true;
        Some(console.clone())
    }

    pub(super) fn remove(&mut self, upid: &Upid) {
        self.0.retain(|_, console| console.upid != *upid);
    }
}

/// What a terminal program is started with.
pub(crate) struct NewConsole {
    pub(crate) upid: Upid,
    pub(crate) user: String,
    pub(crate) ticket: String,
    pub(crate) vmid: u32,
    pub(crate) owner: String,
    pub(crate) mode: ConsoleMode,
}

impl Cluster {
    /// Starts a terminal program on a port. It gives up when no client comes.
    pub(crate) fn open_console(&mut self, port: u16, new: NewConsole, now: Millis) {
        let NewConsole {
            upid,
            user,
            ticket,
            vmid,
            owner,
            mode,
        } = new;
        let node = upid.node.clone();
        let packages = self.node(&node).map(|node| node.packages);
        let options = packages.map_or("", |packages| packages.terminal_options());
        let console = Console {
            lets_in: !user.contains('!') || !options.is_empty(),
            command: format!(
                "/usr/bin/termproxy {port} --path /vms/{vmid} --perm VM.Console{options} -- {}",
                self.inner_command(&node, &owner, vmid, mode)
            ),
            upid,
            user,
            ticket,
            vmid,
            owner,
            mode,
            taken: false,
        };
        self.later(
            now + WAITS,
            Step::ConsoleGivesUp {
                node: node.clone(),
                port,
                upid: console.upid.clone(),
            },
        );
        self.consoles.0.insert((node, port), console);
    }

    /// What runs on the terminal (PVE/LXC.pm, get_console_command; PVE/API2/LXC.pm, termproxy).
    fn inner_command(&self, asked: &str, owner: &str, vmid: u32, mode: ConsoleMode) -> String {
        let program = match mode {
            ConsoleMode::Tty => format!("lxc-console -n {vmid} -e -1"),
            ConsoleMode::Console => format!("lxc-console -n {vmid} -t 0 -e -1"),
            ConsoleMode::Shell => format!("lxc-attach --clear-env -n {vmid}"),
        };
        let shared = format!("/usr/bin/dtach -A /var/run/dtach/vzctlconsole{vmid} -r winch -z {program}");
        match self.node(owner) {
            Some(node) if owner != asked => {
                format!(
                    "/usr/bin/ssh -e none -o BatchMode=yes -o HostKeyAlias={owner} -t root@{} -- {shared}",
                    node.ip
                )
            }
            _ => shared,
        }
    }

    /// A terminal program whose client has not come ends.
    pub(super) fn console_gives_up(&mut self, node: String, port: u16, upid: &Upid, now: Millis) {
        let waits = |console: &&Console| console.upid == *upid && !console.taken;
        if let Some(console) = self.consoles.0.get(&(node, port)).filter(waits).cloned() {
            self.end_console(&console, Err("failed waiting for client: timed out"), now);
        }
    }

    /// Ends a terminal program: well, or with the last line of its log.
    pub(crate) fn end_console(&mut self, console: &Console, outcome: Result<(), &str>, now: Millis) {
        self.consoles.remove(&console.upid);
        if let Err(line) = outcome {
            self.log(&console.upid, line.to_owned());
        }
        let outcome = outcome.map_err(|_| format!("command '{}' failed: exit code 1", console.command));
        self.finish_task(&console.upid, now, outcome);
    }
}
