//! Noticing that agents went silent or came back. Heartbeats change memory only; here the changes of state are written.

use muster_domain::AgentId;
use muster_domain::GuestId;
use muster_domain::fleet::AgentState;
use muster_store::Tx;
use muster_store::guests::GuestAgent;

use crate::agents::Change;
use crate::app::{App, Error, fleet};

/// Changes written in one transaction.
const AT_ONCE: usize = 100;

impl App {
    /// Takes in the agents that the database calls connected: after a start each of them has the usual time to come back.
    pub async fn expect_agents(&self) -> Result<usize, Error> {
        let mut tx = self.store.read().await?;
        let believed = tx.agents_believed_connected().await?;
        for (agent, guest) in &believed {
            self.agents.links.expect(*agent, *guest, self.clock.now());
        }
        Ok(believed.len())
    }

    /// Writes the agents' changes of state. Answers how many there were.
    pub async fn watch_agents(&self) -> Result<usize, Error> {
        let changes = self.agents.links.changes(self.clock.now());
        for some in changes.chunks(AT_ONCE) {
            let written: Result<(), Error> = muster_store::write!(self.store, tx => {
                for change in some {
                    self.write_change(tx, change).await?;
                }
                Ok(())
            });
            written?;
            for change in some {
                self.agents.links.noted(change);
            }
        }
        Ok(changes.len())
    }

    async fn write_change(&self, tx: &mut Tx, change: &Change) -> Result<(), Error> {
        let Some(agent) = tx.agent(AgentId(change.agent.0)).await? else {
            return Ok(());
        };
        if agent.quarantine.is_some() {
            return Ok(());
        }
        let state = GuestAgent {
            state: change.state.as_str(),
            version: Some(agent.version),
            seen_at: Some(change.heard.as_micros()),
            reason: reason(change.state),
        };
        Ok(fleet::agent_changed(self, tx, GuestId(change.guest.0), &state).await?)
    }
}

fn reason(state: AgentState) -> Option<String> {
    let text = match state {
        AgentState::Late => "No heartbeat came when one was due.",
        AgentState::Offline => {
            "Nothing is heard of the agent: the guest may be stopped or its network down, or the service muster-agent ended."
        }
        _ => return None,
    };
    Some(text.to_owned())
}
