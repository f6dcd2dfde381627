//! The bytes that are signed. Every text begins with its own label, so that a signature for one purpose is worth nothing
//! for another.

use uuid::Uuid;

/// What the agent signs to answer a challenge. Nonces are the base64 texts as they travelled.
pub fn hello(agent: Uuid, server_nonce: &str, agent_nonce: &str, instance: Uuid, counter: u64) -> Vec<u8> {
    format!("muster agent hello v1\n{agent}\n{server_nonce}\n{agent_nonce}\n{instance}\n{counter}\n").into_bytes()
}

/// What the server signs to prove itself; the time in it is microseconds since 1970.
pub fn welcome(agent: Uuid, agent_nonce: &str, server_nonce: &str, server_time: i64, counter: u64) -> Vec<u8> {
    format!("muster server welcome v1\n{agent}\n{agent_nonce}\n{server_nonce}\n{server_time}\n{counter}\n").into_bytes()
}

/// What the server signs of a command: its payload text, byte for byte.
pub fn command(payload: &str) -> Vec<u8> {
    format!("muster command v1\n{payload}").into_bytes()
}
