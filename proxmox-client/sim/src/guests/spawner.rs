//! Starts processes from one thread that lives as long as the simulator.
//!
//! Processes of guests are told to die when the thread that started them ends: nothing may be left when the simulator
//! is killed. So that must be a thread that does not end before.

use std::io;
use std::process::{Child, Command};
use std::sync::mpsc::{Sender, SyncSender, channel, sync_channel};
use std::thread;

use anyhow::{Context, Result};

/// A handle on the thread. The thread ends with the last handle.
#[derive(Clone)]
pub(crate) struct Spawner(Sender<(Command, SyncSender<io::Result<Child>>)>);

impl Spawner {
    /// Starts the thread.
    pub(crate) fn start() -> Result<Spawner> {
        let (sender, wanted) = channel::<(Command, SyncSender<io::Result<Child>>)>();
        let serve = move || {
            for (mut command, reply) in wanted {
                // Whoever asked may have given up.
                drop(reply.send(command.spawn()));
            }
        };
        thread::Builder::new()
            .name("spawner".to_owned())
            .spawn(serve)
            .context("cannot start a thread")?;
        Ok(Spawner(sender))
    }

    /// Starts a process.
    pub(crate) fn spawn(&self, command: Command) -> Result<Child> {
        let program = command.get_program().to_string_lossy().into_owned();
        let (reply, child) = sync_channel(1);
        self.0
            .send((command, reply))
            .ok()
            .context("the simulator is stopping")?;
        let child = child.recv().context("the simulator is stopping")?;
        child.with_context(|| format!("cannot start {program}: is it installed? (it belongs to util-linux)"))
    }
}
