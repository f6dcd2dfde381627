//! Which commands may run. Everything is judged by the signed text alone: the server's signature, the agent it names, its
//! generation and its expiry by the server's clock.

use std::collections::HashMap;

use muster_protocol::{Command, Failure, Outcome, SignedCommand, Verb, signing};
use serde_json::Value;
use uuid::Uuid;

use crate::clock::ServerClock;
use crate::identity::ServerKey;
use crate::journal::{Journal, Stage};
use crate::state::StateError;
use crate::verbs::failure;

/// Commands that are acknowledged, running or not yet confirmed, at most.
const MOST_OPEN: usize = 32;

pub(crate) struct Commands {
    agent: Uuid,
    server_key: ServerKey,
    journal: Journal,
    /// Unknown before the first welcome.
    clock: Option<ServerClock>,
    /// Acknowledged; the server has not said yet whether they may run.
    waiting: HashMap<Uuid, Command>,
    /// Handed to the worker, with the time of the server's clock after which they must not start.
    queued: HashMap<Uuid, i64>,
    /// The restart that ends this process once its outcome is confirmed.
    restart: Option<Uuid>,
}

/// What follows from a confirmed outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Confirmed {
    GoOn,
    Restart,
}

/// What to tell the server about a command that came in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reaction {
    Acknowledge(Uuid),
    Refuse(Uuid, Failure),
    Nothing,
}

impl Commands {
    pub(crate) fn new(agent: Uuid, server_key: ServerKey, journal: Journal) -> Self {
        let waiting = journal.acknowledged().map(|command| (command.id, command.clone()));
        Self {
            waiting: waiting.collect(),
            queued: HashMap::new(),
            agent,
            server_key,
            journal,
            clock: None,
            restart: None,
        }
    }

    /// The server has proven itself and told its time.
    pub(crate) fn welcome(&mut self, clock: ServerClock) {
        self.clock = Some(clock);
    }

    /// How many more commands there is room for. Commands that the server never came back to are dropped on the way.
    pub(crate) fn room(&mut self) -> u16 {
        let now = self.now();
        let stale: Vec<Uuid> = self
            .waiting
            .iter()
            .filter(|(_, command)| command.expires_at <= now)
            .map(|(id, _)| *id)
            .collect();
        for id in stale {
            self.waiting.remove(&id);
            // An entry that cannot be ended now is dropped when the agent starts again.
            let _ = self.journal.end(id);
        }
        MOST_OPEN
            .saturating_sub(self.journal.open_count())
            .try_into()
            .unwrap_or(u16::MAX)
    }

    /// Judges a command and writes it down before it is acknowledged.
    pub(crate) fn receive(&mut self, signed: &SignedCommand) -> Reaction {
        match self.judge(signed) {
            Ok(command) => {
                let (id, now) = (command.id, self.now());
                if let Err(error) = self.journal.acknowledge(&command, now) {
                    return refuse(id, "refused", format!("the agent cannot remember the command: {error}"));
                }
                self.waiting.insert(id, command);
                Reaction::Acknowledge(id)
            }
            Err(reaction) => reaction,
        }
    }

    /// Commands that were acknowledged over an earlier link: the server's word on them has not arrived.
    pub(crate) fn waiting(&self) -> Vec<Uuid> {
        self.waiting.keys().copied().collect()
    }

    /// The server's word on an acknowledged command. Gives the command when it is to be handed to the worker.
    pub(crate) fn acknowledged(&mut self, id: Uuid, proceed: bool) -> Result<Option<Command>, StateError> {
        let Some(command) = self.waiting.remove(&id) else {
            return Ok(None);
        };
        if proceed {
            self.queued.insert(id, command.expires_at);
            return Ok(Some(command));
        }
        self.journal.end(id).map(|()| None)
    }

    /// Called by the worker just before it runs a command: `Some` says why it must not run any more.
    pub(crate) fn start(&mut self, command: &Command) -> Option<Failure> {
        let expires_at = self.queued.remove(&command.id).unwrap_or(i64::MIN);
        if self.now() >= expires_at {
            return Some(expired());
        }
        if command.verb == Verb::Restart {
            self.restart = Some(command.id);
        }
        let started = self.journal.start(command.id);
        started.err().map(|error| {
            failure(
                "refused",
                format!("the agent cannot remember the command: {error}"),
                None,
            )
        })
    }

    pub(crate) fn finish(&mut self, id: Uuid, outcome: Outcome) -> Result<(), StateError> {
        self.journal.finish(id, outcome)
    }

    /// The server has the outcome.
    pub(crate) fn confirmed(&mut self, id: Uuid) -> Result<Confirmed, StateError> {
        self.journal.end(id)?;
        Ok(if self.restart == Some(id) {
            Confirmed::Restart
        } else {
            Confirmed::GoOn
        })
    }

    /// Commands whose outcome the server has not confirmed.
    pub(crate) fn finished(&self) -> Vec<Uuid> {
        self.journal.finished()
    }

    pub(crate) fn outcome(&self, id: Uuid) -> Result<Outcome, StateError> {
        self.journal.outcome(id)
    }

    fn judge(&self, signed: &SignedCommand) -> Result<Command, Reaction> {
        let id = named_id(&signed.payload).ok_or(Reaction::Nothing)?;
        if !self
            .server_key
            .signed(&signing::command(&signed.payload), &signed.signature)
        {
            return Err(refuse(
                id,
                "refused",
                "the command does not carry the server's signature",
            ));
        }
        match self.journal.stage(id) {
            Some(Stage::Acknowledged) if self.waiting.contains_key(&id) => return Err(Reaction::Acknowledge(id)),
            Some(Stage::Acknowledged | Stage::Started | Stage::Over) => return Err(Reaction::Nothing),
            // It is sent again with all other unconfirmed outcomes.
            Some(Stage::Finished) => return Err(Reaction::Nothing),
            None => {}
        }
        let command: Command = serde_json::from_str(&signed.payload).map_err(|error| {
            refuse(
                id,
                "unsupported",
                format!("this agent does not know that command: {error}"),
            )
        })?;
        if command.agent != self.agent {
            return Err(refuse(id, "refused", "the command is for another agent"));
        }
        if command.generation < self.journal.generation() {
            return Err(refuse(
                id,
                "refused",
                "the command is from before a rollback of this guest",
            ));
        }
        if self.now() >= command.expires_at {
            return Err(Reaction::Refuse(id, expired()));
        }
        Ok(command)
    }

    /// The server's clock; before the first welcome every command has expired.
    fn now(&self) -> i64 {
        self.clock.map_or(i64::MAX, |clock| clock.now())
    }
}

fn named_id(payload: &str) -> Option<Uuid> {
    let payload: Value = serde_json::from_str(payload).ok()?;
    payload.get("id")?.as_str()?.parse().ok()
}

fn refuse(id: Uuid, code: &str, detail: impl ToString) -> Reaction {
    Reaction::Refuse(id, failure(code, detail, None))
}

fn expired() -> Failure {
    failure("expired", "the command reached the agent after its time", None)
}
