//! The terminals of containers: one per container, shared by everybody who opens its console, with a real program in
//! the container behind it. They outlive the connections to them, as those of dtach(1) do.

mod pty;
mod shared;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::guests::{Guests, Id, Nature};
use crate::world::ConsoleMode;
use shared::Shared;

/// The terminals of all containers.
pub(crate) struct Terminals {
    guests: Arc<Guests>,
    open: Mutex<HashMap<Id, Arc<Shared>>>,
}

/// Somebody at a terminal.
pub(crate) struct Seat {
    /// What the terminal shows; ends with the terminal.
    pub(crate) view: UnboundedReceiver<Vec<u8>>,
    terminal: Arc<Shared>,
}

/// What dtach shows when the program has ended, and when somebody leaves by key.
pub(crate) const ENDED: &[u8] = b"\x1b[999H\r\n[EOF - dtach terminating]\r\n\x1b[?25h";
pub(crate) const DETACHED: &[u8] = b"\x1b[999H\r\n[detached]\r\n\x1b[?25h";
/// What dtach shows first.
pub(crate) const ATTACHED: &[u8] = b"\x1b[H\x1b[J";

impl Terminals {
    /// No terminals yet.
    pub(crate) fn new(guests: Arc<Guests>) -> Terminals {
        Terminals {
            guests,
            open: Mutex::default(),
        }
    }

    /// Sits down at the terminal of a running container. Its program is started if there is none; `by_ssh` is how it
    /// is then started: from another node.
    pub(crate) fn attach(&self, id: &Id, nature: &Nature, mode: ConsoleMode, by_ssh: bool) -> Result<Seat> {
        // Booting takes time, so it comes before the lock.
        let entrance = self.guests.boot(id, nature)?;
        let mut open = self.lock();
        if let Some(terminal) = open.get(id).filter(|terminal| terminal.belongs_to(entrance.pid))
            && let Some(view) = terminal.attach()
        {
            let terminal = Arc::clone(terminal);
            return Ok(Seat { view, terminal });
        }
        let program = self.guests.console_program(id, &entrance, mode, by_ssh);
        let (terminal, view) = Shared::start(&self.guests, entrance.pid, program, mode)?;
        open.insert(id.clone(), Arc::clone(&terminal));
        Ok(Seat { view, terminal })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Id, Arc<Shared>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// Presses keys.
    pub(crate) fn press(&self, keys: Vec<u8>) {
        self.terminal.press(keys);
    }

    /// Changes the size for everybody.
    pub(crate) fn resize(&self, columns: u16, rows: u16) {
        self.terminal.resize(columns, rows);
    }
}
