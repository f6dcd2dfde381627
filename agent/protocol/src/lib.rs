//! The messages between a Muster agent and its server: plain data, JSON on the wire, one version number.
//!
//! An agent enrols once over HTTP ([`EnrolRequest`]), then keeps one outbound WebSocket on which both sides first
//! prove who they are ([`ServerMessage::Challenge`], [`AgentMessage::Hello`], [`ServerMessage::Welcome`]). After that the
//! server sends only hints that something waits; the agent leases, acknowledges and answers commands by id. A command
//! counts only with the server's signature over its exact text ([`SignedCommand`]).
//!
//! This crate does no I/O and no cryptography; [`signing`] says which bytes are signed.

pub mod command;
pub mod enrol;
pub mod link;
pub mod signing;

pub use command::{Command, Failure, HostFacts, Outcome, Report, SignedCommand, Verb};
pub use enrol::{EnrolAnswer, EnrolRequest};
pub use link::{AgentMessage, Refusal, ServerMessage};

/// Version of everything in this crate. The server refuses an agent that speaks another one and says so.
pub const PROTOCOL_VERSION: u16 = 1;

/// Largest message on the link in either direction, in bytes of JSON.
pub const MAX_MESSAGE_BYTES: usize = 4 * 1024 * 1024;
