//! Enrolment: a one-time token becomes an agent with a key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::VerifyingKey;
use muster_domain::fleet::{AgentState, GuestKind};
use muster_domain::{AgentId, ClusterId, EnrolmentId, GuestId, RequestId};
use muster_protocol::{EnrolAnswer, EnrolRequest, HostFacts, PROTOCOL_VERSION};
use muster_store::Tx;
use muster_store::agents::AgentRow;
use muster_store::enrolments::EnrolmentRow;
use muster_store::guests::{GuestAgent, GuestRow};
use sha2::{Digest as _, Sha256};

use super::admit::{short, wrong_protocol};
use crate::app::{App, Caller, Ctx, Error, fleet};

impl App {
    /// Uses a token up: its guest's agent has this key from now on, and an agent it had before is no longer believed. The
    /// same token with the same key is answered again, since the first answer may have been lost.
    pub async fn enrol_agent(&self, request_id: RequestId, request: EnrolRequest) -> Result<EnrolAnswer, Error> {
        if request.protocol != PROTOCOL_VERSION {
            return Err(Error::Conflict {
                code: "agent_protocol",
                detail: wrong_protocol(request.protocol).detail,
            });
        }
        let key = public_key(&request.public_key)?;
        let hash = Sha256::digest(request.token.as_bytes()).to_vec();
        let server_key = self.identity().await?.public_key();
        let enrolled: Result<AgentId, Error> = muster_store::write!(self.store, tx => {
            let enrolment = tx.enrolment_by_hash(&hash).await?.ok_or_else(unknown_token)?;
            let guest = GuestId(enrolment.guest_id);
            let before = tx.agent_of(guest).await?;
            match before {
                Some(agent) if enrolment.used_at.is_some() && agent.public_key == key => Ok(AgentId(agent.id)),
                before => self.enrol_new(tx, request_id, &enrolment, before, &request, &key).await,
            }
        });
        let agent = enrolled?;
        self.jobs.wake();
        self.agents.links.forget(agent);
        Ok(EnrolAnswer {
            agent: agent.0,
            server_key,
        })
    }

    async fn enrol_new(
        &self,
        tx: &mut Tx,
        request_id: RequestId,
        enrolment: &EnrolmentRow,
        before: Option<AgentRow>,
        request: &EnrolRequest,
        key: &[u8],
    ) -> Result<AgentId, Error> {
        let now = self.clock.now();
        let guest = usable(tx, enrolment).await?;
        if enrolment.used_at.is_some() {
            return Err(token(
                "token_used",
                "this line has been used already: copy a fresh one from Muster",
            ));
        }
        self.expect_own_guest(tx, &guest, &request.facts.hostname).await?;
        if !tx.use_enrolment(EnrolmentId(enrolment.id), now).await? {
            return Err(token(
                "token_expired",
                "this line has expired: copy a fresh one from Muster",
            ));
        }
        let agent = AgentId(before.as_ref().map_or_else(|| self.ids.next(), |agent| agent.id));
        tx.cancel_commands_of(agent, now).await?;
        let facts = tidy(&request.facts);
        let row = AgentRow {
            id: agent.0,
            guest_id: guest.id,
            public_key: key.to_vec(),
            version: short(&request.agent_version),
            facts: serde_json::to_value(&facts)
                .map_err(|error| Error::Internal(format!("facts do not serialize: {error}")))?
                .into(),
            machine: facts.machine.clone(),
            counter: 0,
            generation: before.map_or(0, |agent| agent.generation),
            quarantine: None,
            enrolled_at: now.as_micros(),
        };
        tx.save_agent(&row).await?;
        if !facts.os_id.is_empty() {
            tx.set_guest_system(GuestId(guest.id), &facts.os_id, &facts.os_name)
                .await?;
        }
        for job in tx.jobs_waiting_for(GuestId(guest.id), "install").await? {
            tx.wake_job(job, now).await?;
        }
        self.note_enrolment(tx, request_id, agent, &guest, &facts).await?;
        let agent_row = GuestAgent {
            state: AgentState::Enrolling.as_str(),
            version: Some(row.version),
            seen_at: Some(now.as_micros()),
            reason: None,
        };
        fleet::agent_changed(self, tx, GuestId(guest.id), &agent_row).await?;
        Ok(agent)
    }

    /// Refuses a line that was pasted into another guest. It stays good for its own.
    async fn expect_own_guest(&self, tx: &mut Tx, guest: &GuestRow, hostname: &str) -> Result<(), Error> {
        // PVE gives containers their names as host names; a VM may call itself anything.
        if guest.kind != GuestKind::Lxc.as_str() || guest.name == hostname {
            return Ok(());
        }
        let guests = tx.guests_of(ClusterId(guest.cluster_id)).await?;
        match guests.iter().find(|other| other.name == hostname) {
            Some(other) => Err(token(
                "token_other_guest",
                &format!(
                    "this line is for {} ({}), but was pasted into {} ({}): copy the line of this guest from Muster",
                    guest.name, guest.vmid, other.name, other.vmid
                ),
            )),
            None => Ok(()),
        }
    }

    async fn note_enrolment(
        &self,
        tx: &mut Tx,
        request: RequestId,
        agent: AgentId,
        guest: &GuestRow,
        facts: &HostFacts,
    ) -> Result<(), Error> {
        let same = match &facts.machine {
            Some(machine) => tx.agents_on_machine(machine, GuestId(guest.id)).await?,
            None => Vec::new(),
        };
        let same: Vec<String> = same
            .iter()
            .map(|other| format!("{} ({})", other.name, other.vmid))
            .collect();
        if !same.is_empty() {
            tracing::warn!(
                guest.id = %guest.id,
                others = same.join(", "),
                "a guest has the same machine id as others; copied guests should each be given a new one"
            );
        }
        let ctx = Ctx {
            caller: Caller::Agent {
                id: agent,
                name: guest.name.clone(),
            },
            request,
        };
        let detail = serde_json::json!({
            "system": facts.os_name, "hostname": facts.hostname, "same_machine_id_as": same,
        });
        Ok(ctx
            .audit(self, tx, "agent.enrol", ("guest", Some(guest.id), &guest.name), detail)
            .await?)
    }
}

/// The guest of a permission, while it exists.
async fn usable(tx: &mut Tx, enrolment: &EnrolmentRow) -> Result<GuestRow, Error> {
    let guest = tx.guest(GuestId(enrolment.guest_id)).await?;
    guest
        .filter(|guest| guest.gone_at.is_none())
        .ok_or_else(|| token("token_unknown", "the guest of this line no longer exists"))
}

fn unknown_token() -> Error {
    token(
        "token_unknown",
        "Muster does not know this line's token: copy a fresh line from Muster",
    )
}

fn token(code: &'static str, detail: &str) -> Error {
    Error::Unauthenticated {
        code,
        detail: detail.to_owned(),
    }
}

fn public_key(text: &str) -> Result<Vec<u8>, Error> {
    let wrong = || Error::invalid("/public_key", "this is no Ed25519 public key (base64 of 32 bytes)");
    let bytes = BASE64.decode(text).map_err(|_| wrong())?;
    let array: &[u8; 32] = bytes.as_slice().try_into().map_err(|_| wrong())?;
    let key = VerifyingKey::from_bytes(array).map_err(|_| wrong())?;
    if key.is_weak() {
        return Err(wrong());
    }
    Ok(bytes)
}

/// What the agent says, short enough for a row.
fn tidy(facts: &HostFacts) -> HostFacts {
    HostFacts {
        hostname: short(&facts.hostname),
        os_id: short(&facts.os_id),
        os_name: short(&facts.os_name),
        os_version: short(&facts.os_version),
        arch: short(&facts.arch),
        kernel: short(&facts.kernel),
        init: short(&facts.init),
        machine: facts.machine.as_deref().map(short),
        boot: facts.boot.as_deref().map(short),
    }
}
