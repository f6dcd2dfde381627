//! Who this agent is and which server it obeys.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::connect::Server;
use crate::state::{StateDir, StateError};

const FILE: &str = "identity.json";

/// The result of an enrolment: one file, so that key and server never come apart.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Identity {
    /// The agent's id.
    pub agent: Uuid,
    /// Where the server is and how its TLS certificate is judged.
    pub server: Server,
    /// The server's key: proves the server at connect, and every command.
    pub server_key: ServerKey,
    /// The agent's own key.
    pub key: AgentKey,
}

/// The agent's Ed25519 key. It is made in the guest and never leaves it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AgentKey(SigningKey);

/// The server's Ed25519 public key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ServerKey(VerifyingKey);

impl Identity {
    /// The stored identity; `None` before the first enrolment.
    pub fn load(state: &StateDir) -> Result<Option<Self>, StateError> {
        state.read(FILE)
    }

    pub(crate) fn store(&self, state: &StateDir) -> Result<(), StateError> {
        state.write(FILE, self)
    }
}

impl AgentKey {
    /// A new key from the system's random source.
    pub fn generate() -> Self {
        Self(SigningKey::from_bytes(&random()))
    }

    /// The public half, base64 of 32 bytes.
    pub fn public(&self) -> String {
        STANDARD.encode(self.0.verifying_key().as_bytes())
    }

    /// Signs, and gives the signature as base64.
    pub(crate) fn sign(&self, text: &[u8]) -> String {
        STANDARD.encode(self.0.sign(text).to_bytes())
    }
}

impl ServerKey {
    /// Reads base64 of 32 bytes; the error is a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let key = bytes(text).and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok());
        key.map(Self)
            .ok_or_else(|| "the server key is not an Ed25519 public key in base64".to_owned())
    }

    /// Whether the server signed this text; `signature` is base64.
    pub(crate) fn signed(&self, text: &[u8], signature: &str) -> bool {
        bytes(signature).is_some_and(|bytes| self.0.verify_strict(text, &Signature::from_bytes(&bytes)).is_ok())
    }
}

/// Random bytes from the system.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // Without the system's random source there are no keys, no nonces and no way to go on.
    #[expect(clippy::expect_used, reason = "getrandom does not fail on a Linux that has booted")]
    getrandom::fill(&mut bytes).expect("the system has a random source");
    bytes
}

fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    STANDARD.decode(text).ok()?.try_into().ok()
}

impl fmt::Debug for AgentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AgentKey(public {})", self.public())
    }
}

impl TryFrom<String> for AgentKey {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        bytes(&text)
            .map(|bytes| Self(SigningKey::from_bytes(&bytes)))
            .ok_or("not an Ed25519 key in base64")
    }
}

impl From<AgentKey> for String {
    fn from(key: AgentKey) -> Self {
        STANDARD.encode(key.0.as_bytes())
    }
}

impl TryFrom<String> for ServerKey {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<ServerKey> for String {
    fn from(key: ServerKey) -> Self {
        STANDARD.encode(key.0.as_bytes())
    }
}
