//! What must be remembered of commands across a crash: which were begun, which are over, and what came of them.
//!
//! A command is written here before it is acknowledged and again before it starts. After a crash, one that was only
//! acknowledged is acknowledged once more, because it never ran; one that had started is answered as interrupted, because
//! nobody knows how far it came. An id is remembered until its command has expired, so that none runs twice.

use std::collections::BTreeMap;

use muster_protocol::{Command, Outcome};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::state::{StateDir, StateError};
use crate::verbs::failure;

const FILE: &str = "journal.json";

pub(crate) struct Journal {
    state: StateDir,
    book: Book,
    /// Outcomes that could not be written, because the disk is full.
    unwritten: BTreeMap<Uuid, Outcome>,
}

/// How far a command has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stage {
    /// The server may or may not know that it is here; it has not run.
    Acknowledged,
    /// It runs, or ran when the agent ended.
    Started,
    /// There is an outcome that the server has not confirmed.
    Finished,
    /// Nothing is left to do.
    Over,
}

#[derive(Default, Serialize, Deserialize)]
struct Book {
    generation: u64,
    commands: BTreeMap<Uuid, Entry>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Entry {
    stage: Stage,
    expires_at: i64,
    /// What it is, while it is only acknowledged. Nothing but a verified command is written here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    command: Option<Command>,
}

impl Journal {
    /// Opens the journal and settles what a crash left open.
    pub(crate) fn open(state: StateDir) -> Result<Self, StateError> {
        let book = state.read(FILE)?.unwrap_or_default();
        let mut journal = Self {
            state,
            book,
            unwritten: BTreeMap::new(),
        };
        for (id, entry) in journal.book.commands.clone() {
            match entry.stage {
                Stage::Acknowledged if entry.command.is_some() => {}
                Stage::Acknowledged => drop(journal.book.commands.remove(&id)),
                Stage::Started => {
                    let outcome = journal.state.read(&file(id))?;
                    journal.finish(id, outcome.unwrap_or_else(interrupted))?;
                }
                Stage::Finished => {}
                Stage::Over => journal.state.remove(&file(id))?,
            }
        }
        Ok(journal)
    }

    /// The highest generation seen so far.
    pub(crate) fn generation(&self) -> u64 {
        self.book.generation
    }

    pub(crate) fn stage(&self, id: Uuid) -> Option<Stage> {
        self.book.commands.get(&id).map(|entry| entry.stage)
    }

    /// Remembers a new command, and forgets those that had expired by `now`.
    pub(crate) fn acknowledge(&mut self, command: &Command, now: i64) -> Result<(), StateError> {
        self.book
            .commands
            .retain(|_, entry| entry.stage != Stage::Over || entry.expires_at > now);
        self.book.generation = self.book.generation.max(command.generation);
        self.book.commands.insert(
            command.id,
            Entry {
                stage: Stage::Acknowledged,
                expires_at: command.expires_at,
                command: Some(command.clone()),
            },
        );
        let written = self.write();
        if written.is_err() {
            self.book.commands.remove(&command.id);
        }
        written
    }

    /// Commands that were acknowledged; the server has not said whether they may run.
    pub(crate) fn acknowledged(&self) -> impl Iterator<Item = &Command> {
        self.book.commands.values().filter_map(|entry| entry.command.as_ref())
    }

    pub(crate) fn start(&mut self, id: Uuid) -> Result<(), StateError> {
        self.set(id, Stage::Started)
    }

    /// Keeps an outcome until the server has confirmed it. It is kept in memory when it cannot be written.
    pub(crate) fn finish(&mut self, id: Uuid, outcome: Outcome) -> Result<(), StateError> {
        let written = self.state.write(&file(id), &outcome);
        if written.is_err() {
            self.unwritten.insert(id, outcome);
        }
        written.and(self.set(id, Stage::Finished))
    }

    /// Ends a command: its outcome is confirmed, or it will never run.
    pub(crate) fn end(&mut self, id: Uuid) -> Result<(), StateError> {
        if !self.book.commands.contains_key(&id) {
            return Ok(());
        }
        self.unwritten.remove(&id);
        let written = self.set(id, Stage::Over);
        written.and(self.state.remove(&file(id)))
    }

    /// Commands whose outcome the server has not confirmed.
    pub(crate) fn finished(&self) -> Vec<Uuid> {
        let entries = self.book.commands.iter();
        entries
            .filter(|(_, entry)| entry.stage == Stage::Finished)
            .map(|(id, _)| *id)
            .collect()
    }

    /// Commands that are not over.
    pub(crate) fn open_count(&self) -> usize {
        self.book
            .commands
            .values()
            .filter(|entry| entry.stage != Stage::Over)
            .count()
    }

    pub(crate) fn outcome(&self, id: Uuid) -> Result<Outcome, StateError> {
        match self.unwritten.get(&id) {
            Some(outcome) => Ok(outcome.clone()),
            None => Ok(self.state.read(&file(id))?.unwrap_or_else(interrupted)),
        }
    }

    fn set(&mut self, id: Uuid, stage: Stage) -> Result<(), StateError> {
        if let Some(entry) = self.book.commands.get_mut(&id) {
            entry.stage = stage;
            entry.command = None;
        }
        self.write()
    }

    fn write(&self) -> Result<(), StateError> {
        self.state.write(FILE, &self.book)
    }
}

fn file(id: Uuid) -> String {
    format!("outcomes/{id}.json")
}

fn interrupted() -> Outcome {
    let detail = "the agent ended while the command ran; it is not known how far it came";
    Outcome::Failed(failure("interrupted", detail, None))
}
