//! Commands: typed, signed, bound to one agent, run once, and over at the latest when their time has passed.

use std::time::Duration;

use muster_domain::command::LEASE;
use muster_domain::{AgentId, CommandId, TargetId};
use muster_protocol::{Command, Outcome, SignedCommand, Verb, signing};
use muster_store::Tx;
use muster_store::agents::AgentRow;
use muster_store::commands::NewCommand;

use crate::agents::ServerIdentity;
use crate::app::{App, Error};

/// Most commands an agent is handed at a time.
const MOST: u16 = 16;

/// A command to be given.
#[derive(Debug, Clone)]
pub struct NewOrder {
    /// What is to be done.
    pub verb: Verb,
    /// The target of a job that waits for it.
    pub target: Option<TargetId>,
    /// How long it may wait to be started.
    pub start_within: Duration,
    /// How long its answer is waited for.
    pub answer_within: Duration,
}

impl App {
    /// Writes a command for an agent. After the commit, [`Links::hint`](crate::agents::Links::hint) tells the agent.
    pub async fn order(
        &self,
        tx: &mut Tx,
        identity: &ServerIdentity,
        agent: &AgentRow,
        order: NewOrder,
    ) -> Result<CommandId, Error> {
        let id = CommandId(self.ids.next());
        let issued_at = self.clock.now();
        let expires_at = issued_at + order.start_within;
        let command = Command {
            id: id.0,
            agent: agent.id,
            generation: u64::try_from(agent.generation).unwrap_or(0),
            issued_at: issued_at.as_micros(),
            expires_at: expires_at.as_micros(),
            verb: order.verb,
        };
        let payload = serde_json::to_string(&command)
            .map_err(|error| Error::Internal(format!("a command does not serialize: {error}")))?;
        let signature = identity.sign(&signing::command(&payload));
        tx.insert_command(&NewCommand {
            id,
            agent: AgentId(agent.id),
            target: order.target,
            payload,
            signature,
            issued_at,
            expires_at,
            answer_until: issued_at + order.answer_within,
        })
        .await?;
        Ok(id)
    }

    /// Hands an agent its waiting commands. Looks before it writes, since mostly nothing waits.
    pub async fn lease_commands(&self, agent: AgentId, limit: u16) -> Result<Vec<SignedCommand>, Error> {
        let limit = i64::from(limit.clamp(1, MOST));
        let now = self.clock.now();
        if !self.store.read().await?.has_commands(agent, now).await? {
            return Ok(Vec::new());
        }
        let leased: Result<_, Error> =
            muster_store::write!(self.store, tx => { Ok(tx.lease_commands(agent, limit, now, now + LEASE).await?) });
        let signed = leased?.into_iter().map(|command| SignedCommand {
            payload: command.payload,
            signature: command.signature,
        });
        Ok(signed.collect())
    }

    /// The agent has written a command down. Answers whether it may run.
    pub async fn ack_command(&self, agent: AgentId, command: CommandId) -> Result<bool, Error> {
        let now = self.clock.now();
        muster_store::write!(self.store, tx => { Ok(tx.ack_command(command, agent, now).await?) })
    }

    /// Stores what came of a command, once. A command that is over already, or is none of this agent's, changes nothing: the
    /// agent may forget it.
    pub async fn answer_command(&self, agent: AgentId, command: CommandId, outcome: &Outcome) -> Result<(), Error> {
        let now = self.clock.now();
        let text = serde_json::to_string(outcome)
            .map_err(|error| Error::Internal(format!("an outcome does not serialize: {error}")))?;
        let stored: Result<bool, Error> =
            muster_store::write!(self.store, tx => { Ok(tx.answer_command(command, agent, &text, now).await?) });
        if stored? {
            self.agents.settled.signal(command.0);
        } else {
            tracing::info!(command.id = %command, agent.id = %agent, "an answer came to a command that is over");
        }
        Ok(())
    }

    /// Ends commands whose time has passed. Answers how many.
    pub async fn expire_commands(&self) -> Result<usize, Error> {
        let now = self.clock.now();
        let expired: Result<Vec<CommandId>, Error> =
            muster_store::write!(self.store, tx => { Ok(tx.expire_commands(now).await?) });
        let expired = expired?;
        for command in &expired {
            self.agents.settled.signal(command.0);
        }
        Ok(expired.len())
    }
}
