//! Forgetting an agent: its key opens nothing any more. The program in the guest is taken out by a line that a person pastes.

use muster_domain::access::Role;
use muster_domain::fleet::AgentState;
use muster_domain::{AgentId, GuestId};
use muster_store::guests::GuestAgent;

use crate::app::{App, Ctx, Error, fleet};

impl App {
    /// Forgets a guest's agent and the lines that could enrol one. Answers the line that removes the program from the guest.
    pub async fn remove_agent(&self, ctx: &Ctx, guest: GuestId) -> Result<String, Error> {
        ctx.require(Role::Operator)?;
        let removed: Result<Option<AgentId>, Error> = muster_store::write!(self.store, tx => {
            let row = tx.guest(guest).await?.ok_or_else(|| Error::NotFound {
                kind: "guest",
                id: guest.to_string(),
            })?;
            let agent = tx.agent_of(guest).await?.map(|agent| AgentId(agent.id));
            let now = self.clock.now();
            if agent.is_none() && tx.open_enrolments_of(guest, now).await? == 0 {
                return Err(Error::Conflict {
                    code: "no_agent",
                    detail: format!("{} has no agent", row.name),
                });
            }
            tx.end_enrolments_of(guest, now).await?;
            if let Some(agent) = agent {
                tx.remove_agent(agent).await?;
            }
            for job in tx.jobs_waiting_for(guest, "install").await? {
                tx.wake_job(job, now).await?;
            }
            ctx.audit(self, tx, "agent.remove", ("guest", Some(guest.0), &row.name), serde_json::Value::Null).await?;
            let none = GuestAgent { state: AgentState::None.as_str(), version: None, seen_at: None, reason: None };
            fleet::agent_changed(self, tx, guest, &none).await?;
            Ok(agent)
        });
        if let Some(agent) = removed? {
            self.agents.links.forget(agent);
        }
        self.jobs.wake();
        Ok(muster_packages::install::uninstall_line())
    }
}
