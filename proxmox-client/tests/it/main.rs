//! Tests of the client over real TLS connections.

mod catalogue;
mod decoding;
mod failover;
mod login;
mod qemu_exec;
mod refusals;
mod secrets;
mod server;
mod tasks;
mod transport;
mod trust;

use std::time::Duration;

use proxmox_client::{ApiToken, Client, ClientBuilder, Fingerprints, Trust};

use crate::server::Server;

/// A token secret that occurs nowhere else.
const SECRET: &str = "5ec2e700-1111-4222-8333-a5a5a5a5a5a5";

fn token() -> ApiToken {
    ApiToken::new("ops@pve!full", SECRET).expect("a token")
}

/// A client of these servers that pins their certificates, with limits that suit a test.
fn builder(servers: &[&Server]) -> ClientBuilder {
    Client::builder(servers.iter().map(|server| server.endpoint()))
        .token(token())
        .trust(Trust::Pinned(Fingerprints::new(
            servers.iter().map(|server| server.fingerprint()),
        )))
        .timeout(Duration::from_secs(10))
}

fn client(servers: &[&Server]) -> Client {
    builder(servers).build().expect("a client")
}
