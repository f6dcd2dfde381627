//! Letting an agent in that says hello.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signature, VerifyingKey};
use muster_domain::agent::{Identity, judge};
use muster_domain::fleet::AgentState;
use muster_domain::{AgentId, GuestId};
use muster_protocol::{PROTOCOL_VERSION, Refusal};
use muster_store::Tx;
use muster_store::agents::AgentRow;
use muster_store::guests::GuestAgent;

use super::refuse;
use crate::agents::Session;
use crate::app::{App, Ctx, Error, fleet};

/// What people are told of a copied identity.
const COPIED: &str = "The agent's key is used twice: the guest was copied, or its disk was set back to an older state. \
    Install the agent again in each of them.";

/// An agent's hello, with the bytes it claims to have signed.
#[derive(Debug, Clone)]
pub struct Hello {
    /// Who it says it is.
    pub agent: AgentId,
    /// The protocol it speaks.
    pub protocol: u16,
    /// Version of its program.
    pub version: String,
    /// Its nonce, base64.
    pub nonce: String,
    /// The number from its last welcome.
    pub counter: u64,
    /// The signed bytes.
    pub proof: Vec<u8>,
    /// The signature, base64.
    pub signature: String,
}

/// Whether an agent is let in.
pub enum Admission {
    /// It is.
    Welcome {
        /// Its connection.
        session: Session,
        /// The number it presents next time.
        counter: u64,
    },
    /// It is not.
    Refused(Refusal),
}

/// What the transaction decided.
enum Decision {
    Welcome { guest: GuestId, counter: u64, woke: bool },
    Refused(Refusal),
    Quarantined,
}

impl App {
    /// Lets an agent in that proves who it is. Its guest is online from then on, and jobs that wait for it go on.
    pub async fn admit_agent(&self, hello: Hello) -> Result<Admission, Error> {
        if hello.protocol != PROTOCOL_VERSION {
            return Ok(Admission::Refused(wrong_protocol(hello.protocol)));
        }
        let known = self.store.read().await?.agent(hello.agent).await?;
        let Some(known) = known else {
            return Ok(Admission::Refused(refuse(
                "unknown_agent",
                "Muster does not know this agent: it was removed, or enrolled with another Muster. Install it again.",
                None,
            )));
        };
        if !is_signed(&known, &hello) {
            return Ok(Admission::Refused(refuse(
                "bad_signature",
                "the agent's signature is wrong: its guest has been given another identity since. Install it again.",
                None,
            )));
        }
        let decided: Result<Decision, Error> =
            muster_store::write!(self.store, tx => { self.decide_admission(tx, &known, &hello).await });
        match decided? {
            Decision::Refused(refusal) => Ok(Admission::Refused(refusal)),
            Decision::Quarantined => {
                self.agents.links.forget(hello.agent);
                Ok(Admission::Refused(refuse("quarantined", COPIED, None)))
            }
            Decision::Welcome { guest, counter, woke } => {
                if woke {
                    self.jobs.wake();
                }
                let session = self.agents.links.connect(hello.agent, guest, counter, self.clock.now());
                Ok(Admission::Welcome { session, counter })
            }
        }
    }

    async fn decide_admission(&self, tx: &mut Tx, known: &AgentRow, hello: &Hello) -> Result<Decision, Error> {
        let row = tx.agent(hello.agent).await?;
        let Some(row) = row.filter(|row| row.public_key == known.public_key) else {
            return Ok(Decision::Refused(refuse(
                "unknown_agent",
                "this agent was removed or enrolled anew while it connected",
                Some(5),
            )));
        };
        if let Some(reason) = &row.quarantine {
            return Ok(Decision::Refused(refuse("quarantined", reason, None)));
        }
        let given = u64::try_from(row.counter).unwrap_or(0);
        let confirmed = self.agents.links.is_confirmed(hello.agent, given);
        match judge(given, hello.counter, confirmed) {
            Identity::Copied => {
                self.quarantine(tx, &row).await?;
                Ok(Decision::Quarantined)
            }
            Identity::Single { next } => self.let_in(tx, &row, hello, next).await,
        }
    }

    async fn let_in(&self, tx: &mut Tx, row: &AgentRow, hello: &Hello, next: u64) -> Result<Decision, Error> {
        let guest = GuestId(row.guest_id);
        let counter = i64::try_from(next).unwrap_or(i64::MAX);
        let version = short(&hello.version);
        let advanced = tx.advance_agent(hello.agent, row.counter, counter, &version).await?;
        if !advanced {
            return Ok(Decision::Refused(refuse(
                "busy",
                "the same agent connected a moment ago",
                Some(5),
            )));
        }
        // The agent asks for commands next, and gets those again that its last connection swallowed.
        tx.lapse_leases_of(hello.agent).await?;
        let jobs = tx.jobs_waiting_for(guest, "install").await?;
        let now = self.clock.now();
        for job in &jobs {
            tx.wake_job(*job, now).await?;
        }
        let was = tx.guest(guest).await?;
        let online = AgentState::Online.as_str();
        let same = |guest: &muster_store::guests::GuestRow| {
            guest.agent_state == online && guest.agent_version.as_deref() == Some(&version)
        };
        if !was.as_ref().is_some_and(same) {
            let agent = GuestAgent {
                state: online,
                version: Some(version),
                seen_at: Some(now.as_micros()),
                reason: None,
            };
            fleet::agent_changed(self, tx, guest, &agent).await?;
        }
        Ok(Decision::Welcome {
            guest,
            counter: next,
            woke: !jobs.is_empty(),
        })
    }

    /// Neither of the two that share a key is believed from now on.
    async fn quarantine(&self, tx: &mut Tx, row: &AgentRow) -> Result<(), Error> {
        let (agent, guest) = (AgentId(row.id), GuestId(row.guest_id));
        tx.quarantine_agent(agent, COPIED).await?;
        tx.cancel_commands_of(agent, self.clock.now()).await?;
        let name = tx.guest(guest).await?.map(|guest| guest.name).unwrap_or_default();
        let ctx = Ctx::system(self);
        let detail = serde_json::json!({ "reason": COPIED });
        ctx.audit(self, tx, "agent.quarantine", ("guest", Some(guest.0), &name), detail)
            .await?;
        let quarantined = GuestAgent {
            state: AgentState::Quarantined.as_str(),
            version: Some(row.version.clone()),
            seen_at: Some(self.clock.now().as_micros()),
            reason: Some(COPIED.to_owned()),
        };
        Ok(fleet::agent_changed(self, tx, guest, &quarantined).await?)
    }
}

/// What an agent says of itself, short enough for a row.
pub(super) fn short(text: &str) -> String {
    const MOST: usize = 200;
    text.chars().filter(|c| !c.is_control()).take(MOST).collect()
}

fn is_signed(known: &AgentRow, hello: &Hello) -> bool {
    let key: Option<VerifyingKey> = known
        .public_key
        .as_slice()
        .try_into()
        .ok()
        .and_then(|bytes| VerifyingKey::from_bytes(bytes).ok());
    let signature = BASE64
        .decode(&hello.signature)
        .ok()
        .and_then(|bytes| Signature::from_slice(&bytes).ok());
    match (key, signature) {
        (Some(key), Some(signature)) => key.verify_strict(&hello.proof, &signature).is_ok(),
        _ => false,
    }
}

pub(super) fn wrong_protocol(theirs: u16) -> Refusal {
    let code = if theirs < PROTOCOL_VERSION {
        "protocol_too_old"
    } else {
        "protocol_too_new"
    };
    let detail = format!("the agent speaks protocol {theirs}, this Muster {PROTOCOL_VERSION}: install the agent again");
    refuse(code, detail, Some(300))
}
