//! Servers with databases of their own, simulated Proxmox VE beside them, and somebody who uses both.

pub(crate) mod agents;
mod client;
mod lab;
mod place;
mod process;
mod server;

use std::time::Duration;

use anyhow::{Result, bail};

pub(crate) use client::{Client, Events};
pub(crate) use lab::{Lab, as_new, can_proxy, can_run_agents, homelab, homelab_with_exec, simulate};
pub(crate) use place::Place;
pub(crate) use process::MusterProcess;
pub(crate) use server::{Muster, ShiftedClock, Start, assert_clean, open, shell, token};

/// How long anything may take that a test waits for. Generous: only a hanging test meets it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Asks again and again until there is an answer; fails after [`PATIENCE`] with the name of what did not come.
pub(crate) async fn wait_for<T>(what: &str, mut ask: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        if let Some(found) = ask().await? {
            return Ok(found);
        }
        if tokio::time::Instant::now() >= deadline {
            bail!("{what} did not come within {} s", PATIENCE.as_secs());
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}
