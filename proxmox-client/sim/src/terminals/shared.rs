//! One terminal with a program, and everybody who looks at it.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use anyhow::{Context, Result};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::pty::{self, Pty};
use crate::guests::Guests;
use crate::world::ConsoleMode;

/// A terminal until its program ends.
pub(super) struct Shared {
    /// The first process of the guest that it is in.
    first_process: u32,
    master: File,
    keyboard: Mutex<Sender<Vec<u8>>>,
    state: Mutex<State>,
}

struct State {
    viewers: Vec<UnboundedSender<Vec<u8>>>,
    /// Whether keys are lost: lxc-attach throws away what was typed before its shell has come up.
    is_deaf: bool,
    has_ended: bool,
}

impl Shared {
    /// Starts a program on a new terminal and sits down at it.
    pub(super) fn start(
        guests: &Guests,
        first_process: u32,
        mut program: Command,
        mode: ConsoleMode,
    ) -> Result<(Arc<Shared>, UnboundedReceiver<Vec<u8>>)> {
        let Pty { master, slave } = pty::open(first_process)?;
        program.stdin(Stdio::from(slave.try_clone()?));
        program.stdout(Stdio::from(slave.try_clone()?));
        program.stderr(Stdio::from(slave));
        let child = guests.spawn(program).context("cannot start the program of a console")?;
        let (keyboard, keys) = channel();
        let (viewer, view) = unbounded_channel();
        let (hand, screen) = (master.try_clone()?, master.try_clone()?);
        let shared = Arc::new(Shared {
            first_process,
            master,
            keyboard: Mutex::new(keyboard),
            state: Mutex::new(State {
                viewers: vec![viewer],
                is_deaf: mode == ConsoleMode::Shell,
                has_ended: false,
            }),
        });
        let everybody = Arc::clone(&shared);
        spawn("console", move || type_keys(hand, keys))?;
        spawn("screen", move || show(screen, child, &everybody))?;
        Ok((shared, view))
    }

    /// Whether it is in the system with that first process, and not in one that is just ending.
    pub(super) fn belongs_to(&self, first_process: u32) -> bool {
        self.first_process == first_process
    }

    /// Sits down at it, unless it has ended.
    pub(super) fn attach(&self) -> Option<UnboundedReceiver<Vec<u8>>> {
        let mut state = self.lock();
        if state.has_ended {
            return None;
        }
        let (viewer, view) = unbounded_channel();
        state.viewers.push(viewer);
        Some(view)
    }

    /// Presses keys.
    pub(super) fn press(&self, keys: Vec<u8>) {
        let mut state = self.lock();
        if state.is_deaf {
            return state.show(&keys);
        }
        let keyboard = self.keyboard.lock().unwrap_or_else(PoisonError::into_inner);
        // A program that has just ended reads no more.
        drop(keyboard.send(keys));
    }

    /// Changes its size.
    pub(super) fn resize(&self, columns: u16, rows: u16) {
        if let Err(error) = pty::resize(&self.master, columns, rows) {
            tracing::debug!(%error, "the terminal cannot be resized");
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Shows bytes to everybody, as a terminal in a terminal does: it adds a carriage return to each line.
    fn show(&mut self, bytes: &[u8]) {
        let mut shown = Vec::with_capacity(bytes.len() + bytes.len() / 16);
        for byte in bytes {
            if *byte == b'\n' {
                shown.push(b'\r');
            }
            shown.push(*byte);
        }
        self.send(&shown);
    }

    fn send(&mut self, bytes: &[u8]) {
        self.viewers.retain(|viewer| viewer.send(bytes.to_vec()).is_ok());
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<()> {
    let thread = thread::Builder::new().name(name.to_owned()).spawn(work);
    thread.map(drop).context("cannot start a thread for a terminal")
}

/// A program that reads nothing must hold up nobody but its own keyboard.
fn type_keys(mut hand: File, keys: Receiver<Vec<u8>>) {
    for pressed in keys {
        if hand.write_all(&pressed).is_err() {
            break;
        }
    }
}

/// Shows what the program prints until it ends: a session's terminal is hung up with its first process.
fn show(mut screen: File, mut child: Child, shared: &Shared) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(length @ 1..) = screen.read(&mut buffer) {
        let mut state = shared.lock();
        state.is_deaf = false;
        state.show(&buffer[..length]);
    }
    // The program has lost its terminal, if it has not ended.
    drop(child.kill());
    drop(child.wait());
    let mut state = shared.lock();
    state.has_ended = true;
    state.viewers.clear();
}
