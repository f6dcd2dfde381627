//! The WebSocket between agent and server: one JSON object per text frame.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::command::{Outcome, SignedCommand};

/// What the server says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerMessage {
    /// First message of every link: the agent signs this nonce.
    Challenge {
        /// Base64 of 32 random bytes.
        nonce: String,
        /// Version of the protocol the server speaks.
        protocol: u16,
    },
    /// The agent is who it says, and the server proves the same.
    Welcome {
        /// Signature of [`crate::signing::welcome`], base64.
        signature: String,
        /// The server's clock, microseconds since 1970. The agent judges expiry by this plus its monotonic clock.
        server_time: i64,
        /// The number to present at the next hello; stored before anything else is done. A copy of the agent's disk
        /// presents an old one and is found out.
        counter: u64,
        /// How often the agent sends a heartbeat.
        heartbeat_seconds: u16,
    },
    /// The agent may not connect.
    Refused(Refusal),
    /// Commands wait: lease them.
    Hint,
    /// Answer to a lease; empty when nothing waits.
    Commands {
        /// Oldest first.
        commands: Vec<SignedCommand>,
    },
    /// Answer to an acknowledgement: whether the command may still run.
    Acked {
        /// The command's id.
        command: Uuid,
        /// False when it was cancelled or has expired meanwhile.
        proceed: bool,
    },
    /// The outcome is stored; the agent may forget it.
    Answered {
        /// The command's id.
        command: Uuid,
    },
    /// Answer to a heartbeat.
    Heartbeat {
        /// The server's clock, microseconds since 1970.
        server_time: i64,
    },
}

/// Why an agent may not connect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Stable code: `unknown_agent`, `bad_signature`, `quarantined`, `protocol_too_old`, `protocol_too_new`, `busy`.
    pub code: String,
    /// A sentence for the agent's log.
    pub detail: String,
    /// Earliest next try in seconds; absent when trying again is useless until a person has acted.
    pub retry_after_seconds: Option<u32>,
}

/// What the agent says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum AgentMessage {
    /// Answer to the challenge.
    Hello {
        /// The agent's id.
        agent: Uuid,
        /// Version of the protocol the agent speaks.
        protocol: u16,
        /// Version of the agent program.
        agent_version: String,
        /// Base64 of 32 random bytes, for the server to sign.
        nonce: String,
        /// New for each start of the agent's process: tells a reconnect from a restart.
        instance: Uuid,
        /// The number from the last welcome.
        counter: u64,
        /// Signature of [`crate::signing::hello`], base64.
        signature: String,
    },
    /// Asks for commands.
    Lease {
        /// At most so many.
        limit: u16,
    },
    /// The command is written to the agent's journal and will run if the server says so.
    Ack {
        /// The command's id.
        command: Uuid,
    },
    /// A command's outcome; repeated after each reconnect until it is answered.
    Answer {
        /// The command's id.
        command: Uuid,
        /// What came of it.
        outcome: Outcome,
    },
    /// Still here.
    Heartbeat,
}
