//! The QEMU guest agents in virtual machines, as far as they run commands and touch files; they do both for real.

use std::collections::HashMap;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use anyhow::{Context, Result, anyhow, bail, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::guests::{Guests, Id, Nature, Streams};
use crate::outcome::{Outcome, Printed};

/// How much of each stream, and of a file, an agent keeps (qga/commands.c).
const KEEPS: u64 = 16 << 20;

/// What an agent is asked to do.
#[derive(Debug)]
pub(crate) enum Wish {
    /// Start a program with its arguments and input.
    Exec { command: Vec<String>, input: Vec<u8> },
    /// Say what has become of it.
    Status { pid: u64 },
    /// Read a file, as characters or in base64.
    Read { file: String, most: u64, decoded: bool },
    /// Replace the contents of a file.
    Write { file: String, content: Vec<u8> },
}

/// The agents of all machines.
pub(crate) struct GuestAgents {
    guests: Arc<Guests>,
    commands: Mutex<Commands>,
}

#[derive(Default)]
struct Commands {
    last_pid: u64,
    started: HashMap<(Id, u64), Started>,
}

/// A command until somebody has seen its end.
struct Started {
    /// The run of the machine that it belongs to.
    run: u32,
    outcome: Arc<Mutex<Option<Result<Outcome>>>>,
}

impl GuestAgents {
    /// The agents of these machines.
    pub(crate) fn new(guests: Arc<Guests>) -> GuestAgents {
        GuestAgents {
            guests,
            commands: Mutex::default(),
        }
    }

    /// Does what a machine's agent is asked to do. The error is what the agent says.
    pub(crate) fn perform(&self, id: &Id, nature: &Nature, wish: Wish) -> Result<Value> {
        match wish {
            Wish::Exec { command, input } => self.start(id, nature, command, input),
            Wish::Status { pid } => self.status(id, nature, pid),
            Wish::Read { file, most, decoded } => self.read(id, nature, &file, most, decoded),
            Wish::Write { file, content } => self.write(id, nature, &file, content),
        }
    }

    fn start(&self, id: &Id, nature: &Nature, command: Vec<String>, input: Vec<u8>) -> Result<Value> {
        let program = command.first().context("there is no command")?;
        ensure!(
            self.guests.has_program(id, nature, program)?,
            "Guest agent command failed, error was 'Failed to execute child process “{program}” (No such file or directory)'"
        );
        let child = self.run(id, nature, &command, input)?;
        let outcome = Arc::new(Mutex::new(None));
        let ended = Arc::clone(&outcome);
        thread::Builder::new().name("guest-exec".to_owned()).spawn(move || {
            let end = Outcome::of(child, KEEPS);
            *lock(&ended) = Some(end);
        })?;
        let mut commands = lock(&self.commands);
        let run = nature.run;
        // What was started before the machine was switched off is gone.
        commands
            .started
            .retain(|(of, _), started| of != id || started.run == run);
        commands.last_pid = commands.last_pid.max(1000) + 1;
        let pid = commands.last_pid;
        commands.started.insert((id.clone(), pid), Started { run, outcome });
        Ok(json!({ "pid": pid }))
    }

    fn status(&self, id: &Id, nature: &Nature, pid: u64) -> Result<Value> {
        let mut commands = lock(&self.commands);
        let key = (id.clone(), pid);
        let started = commands.started.get(&key).filter(|started| started.run == nature.run);
        let unknown = || anyhow!("PID {pid} does not exist");
        let end = lock(&started.ok_or_else(unknown)?.outcome).take();
        let Some(outcome) = end else {
            return Ok(json!({ "exited": 0 }));
        };
        // The agent forgets a command once its end was told.
        commands.started.remove(&key);
        Ok(told(&outcome?))
    }

    fn read(&self, id: &Id, nature: &Nature, file: &str, most: u64, decoded: bool) -> Result<Value> {
        let most = most.min(KEEPS);
        let count = (most + 1).to_string();
        let command = ["head", "-c", &count, "--", file].map(str::to_owned);
        let outcome = Outcome::of(self.run(id, nature, &command, Vec::new())?, KEEPS + 1)?;
        fail_with_file(&outcome, file, "r")?;
        let mut bytes = outcome.stdout.bytes;
        let is_cut = bytes.len() as u64 > most;
        bytes.truncate(usize::try_from(most)?);
        let content = if decoded {
            characters(&bytes)
        } else {
            STANDARD.encode(&bytes)
        };
        let mut answer = Map::from_iter([
            ("content".to_owned(), json!(content)),
            ("bytes-read".to_owned(), json!(bytes.len())),
        ]);
        if is_cut {
            answer.insert("truncated".to_owned(), json!(1));
        }
        Ok(Value::Object(answer))
    }

    fn write(&self, id: &Id, nature: &Nature, file: &str, content: Vec<u8>) -> Result<Value> {
        let command = ["dd", "status=none", &format!("of={file}")].map(str::to_owned);
        let outcome = Outcome::of(self.run(id, nature, &command, content)?, KEEPS)?;
        fail_with_file(&outcome, file, "wb")?;
        Ok(Value::Null)
    }

    /// Starts a command that reads `input`.
    fn run(&self, id: &Id, nature: &Nature, command: &[String], input: Vec<u8>) -> Result<Child> {
        let streams = Streams {
            stdin: Stdio::piped(),
            stdout: Stdio::piped(),
            stderr: Stdio::piped(),
        };
        let mut child = self.guests.exec_as_service(id, nature, command, streams)?;
        let mut stdin = child.stdin.take().context("the command has no input")?;
        thread::Builder::new().name("guest-input".to_owned()).spawn(move || {
            // It need not read it.
            drop(stdin.write_all(&input));
        })?;
        Ok(child)
    }
}

/// A command's end as Proxmox VE tells it: decoded, each byte a character, and nothing of what is empty.
fn told(outcome: &Outcome) -> Value {
    let mut answer = Map::from_iter([("exited".to_owned(), json!(1))]);
    match outcome.status.signal() {
        Some(signal) => answer.insert("signal".to_owned(), json!(signal)),
        None => answer.insert("exitcode".to_owned(), json!(outcome.exit())),
    };
    for (name, Printed { bytes, is_cut }) in [("out", &outcome.stdout), ("err", &outcome.stderr)] {
        if !bytes.is_empty() {
            answer.insert(format!("{name}-data"), json!(characters(bytes)));
            answer.insert(format!("{name}-truncated"), json!(u8::from(*is_cut)));
        }
    }
    Value::Object(answer)
}

fn characters(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// The agent's words for a file that cannot be opened; the reason is what the command's complaint ends with.
fn fail_with_file(outcome: &Outcome, file: &str, mode: &str) -> Result<()> {
    if outcome.status.success() {
        return Ok(());
    }
    let complaint = String::from_utf8_lossy(&outcome.stderr.bytes).into_owned();
    let reason = complaint.trim_end().rsplit(": ").next().unwrap_or_default();
    bail!("failed to open file '{file}' (mode: '{mode}'): {reason}")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
