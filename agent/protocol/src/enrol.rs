//! Enrolment: a one-time token against a place in the server's list of agents.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::command::HostFacts;

/// Body of `POST /agent/v1/enrol`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolRequest {
    /// Version of the protocol the agent speaks.
    pub protocol: u16,
    /// The one-time token from the pasted line.
    pub token: String,
    /// The agent's Ed25519 public key, base64 of 32 bytes. The private half never leaves the guest.
    pub public_key: String,
    /// Version of the agent program.
    pub agent_version: String,
    /// What the agent sees of its host.
    pub facts: HostFacts,
}

/// Answer to a valid [`EnrolRequest`]; an invalid one is answered by a problem document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolAnswer {
    /// The agent's id from now on.
    pub agent: Uuid,
    /// The server's Ed25519 public key, base64 of 32 bytes.
    pub server_key: String,
}
