//! Tests of the client over real TLS connections.

mod catalogue;
mod console;
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

/// Notes what this machine cannot test. A machine that claims to test everything must not skip anything.
fn skipped(what: &str) {
    assert!(std::env::var_os("CI").is_none(), "not tested: {what}");
    if let Some(path) = std::env::var_os("MUSTER_TEST_SKIPS") {
        let line = format!("proxmox-client: {what}\n");
        let mut notes = std::fs::File::options()
            .create(true)
            .append(true)
            .open(path)
            .expect("the list of skipped tests");
        std::io::Write::write_all(&mut notes, line.as_bytes()).expect("the list of skipped tests");
    }
}
