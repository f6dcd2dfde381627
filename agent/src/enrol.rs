//! Enrolment: a one-time token becomes an identity.
//!
//! The new key is stored before the token is used, so that an answer that got lost can be asked for again with the same
//! token and the same key. An identity that exists stays in force until a new one is granted.

use hyper::StatusCode;
use muster_protocol::{EnrolAnswer, EnrolRequest, Failure, PROTOCOL_VERSION};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;
use uuid::Uuid;

use crate::connect::{ConnectError, Server};
use crate::host::Host;
use crate::identity::{AgentKey, Identity, ServerKey, random};
use crate::link::Link;
use crate::state::{StateDir, StateError};
use crate::status::{Phase, RUNNING, Status};
use crate::{VERSION, http, verbs};

const PENDING: &str = "enrolling.json";

/// How an enrolment ended well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enrolment {
    /// The agent has a new identity.
    New(Uuid),
    /// The token is used up, but the identity that is here is still good.
    Kept(Uuid),
}

/// Why there is no identity.
#[derive(Debug, Error)]
pub enum EnrolError {
    /// The server cannot be reached.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The server did not accept the token.
    #[error("Muster refused the enrolment: {0}")]
    Refused(String),
    /// The answer is none, or comes from another server.
    #[error("{0} is not the Muster that this line was made by: {1}")]
    WrongServer(String, &'static str),
    /// This host could not be looked at.
    #[error("this host cannot be looked at: {}", .0.detail)]
    Facts(Failure),
    /// The agent's folder cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
}

/// A key on its way to being accepted.
#[derive(Serialize, Deserialize)]
struct Pending {
    token_sha256: String,
    key: AgentKey,
}

/// Enrols with a one-time token at the server that has `server_key`.
pub async fn enrol(
    state: &StateDir,
    host: &dyn Host,
    server: Server,
    server_key: ServerKey,
    token: &str,
) -> Result<Enrolment, EnrolError> {
    let key = pending_key(state, token)?;
    let facts = verbs::host_facts(host).await.map_err(EnrolError::Facts)?;
    let request = EnrolRequest {
        protocol: PROTOCOL_VERSION,
        token: token.to_owned(),
        public_key: key.public(),
        agent_version: VERSION.to_owned(),
        facts,
    };
    match ask(&server, &request).await {
        Ok(answer) if answer.server_key == String::from(server_key.clone()) => {
            let identity = Identity {
                agent: answer.agent,
                server,
                server_key,
                key,
            };
            identity.store(state)?;
            state.remove(PENDING)?;
            Ok(Enrolment::New(answer.agent))
        }
        Ok(_) => Err(EnrolError::WrongServer(server.to_string(), "it has another key")),
        Err(EnrolError::Refused(reason)) => match still_good(state, &server, &server_key).await? {
            Some(agent) => Ok(Enrolment::Kept(agent)),
            None => Err(EnrolError::Refused(reason)),
        },
        Err(error) => Err(error),
    }
}

async fn ask(server: &Server, request: &EnrolRequest) -> Result<EnrolAnswer, EnrolError> {
    let body = serde_json::to_vec(request).map_err(|error| server.unreachable(error))?;
    let (status, body) = http::post(server, "agent/v1/enrol", body).await?;
    if status.is_success() {
        return serde_json::from_slice(&body)
            .map_err(|_| EnrolError::WrongServer(server.to_string(), "its answer is not an enrolment"));
    }
    match problem(&body) {
        Some(detail) if status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS => {
            Err(EnrolError::Refused(detail))
        }
        Some(detail) => Err(server.unreachable(detail).into()),
        None => Err(server
            .unreachable(format!("it answers {status} to an enrolment"))
            .into()),
    }
}

/// What a problem document says, in the server's words.
fn problem(body: &[u8]) -> Option<String> {
    let problem: serde_json::Value = serde_json::from_slice(body).ok()?;
    ["detail", "title"]
        .iter()
        .find_map(|field| problem.get(field)?.as_str())
        .map(str::to_owned)
}

/// The key to enrol with: the one that was tried with this token before, or a new one.
fn pending_key(state: &StateDir, token: &str) -> Result<AgentKey, StateError> {
    let token_sha256 = hex::encode(Sha256::digest(token));
    if let Some(pending) = state.read::<Pending>(PENDING)?
        && pending.token_sha256 == token_sha256
    {
        return Ok(pending.key);
    }
    let pending = Pending {
        token_sha256,
        key: AgentKey::generate(),
    };
    state.write(PENDING, &pending)?;
    Ok(pending.key)
}

/// Whether the identity that is here belongs to this server and is let in. A running agent is asked, not disturbed: a
/// second link would look like a copy of it.
async fn still_good(state: &StateDir, server: &Server, server_key: &ServerKey) -> Result<Option<Uuid>, EnrolError> {
    let Some(identity) = Identity::load(state)? else {
        return Ok(None);
    };
    if identity.server_key != *server_key || identity.server.url != server.url {
        return Ok(None);
    }
    let Some(_lock) = state.try_lock(RUNNING)? else {
        let online = Status::read(state)?.is_some_and(|status| status.phase == Phase::Online);
        return Ok(online.then_some(identity.agent));
    };
    let opened = Link::open(&identity, state, Uuid::from_bytes(random())).await;
    if opened.is_ok() {
        state.remove(PENDING)?;
    }
    Ok(opened.is_ok().then_some(identity.agent))
}
