//! How long the first discovery of a cluster takes, measured against what the limits of the product allow: 500 guests on
//! 8 nodes, each answer 5 ms late.

#[expect(dead_code, reason = "the other benches use the rest")]
mod measure;

use anyhow::{Context as _, Result};
use measure::figures::Figures;
use measure::server::{Server, run_as_server};
use proxmox_client::Limits;
use proxmox_sim::{Options, Scenario, Sim};

const NODES: usize = 8;
const GUESTS: usize = 500;
/// By how much every answer of PVE is late.
const DELAY_MS: f64 = 5.0;
/// The best of so many counts: what else the machine does only makes them worse.
const ROUNDS: usize = 3;

#[tokio::main]
async fn main() -> Result<()> {
    if run_as_server().await? {
        return Ok(());
    }
    let mut figures = Figures::of("discovery");
    let (mut best, mut calls) = (f64::MAX, 0);
    for _ in 0..ROUNDS {
        let (took, asked) = discover().await?;
        (best, calls) = (best.min(took), asked);
    }
    // The limits of the product are those that its client has by itself.
    let at_once = Limits::default().per_cluster as f64;
    let allowed = calls as f64 * DELAY_MS / at_once;
    figures.note("first discovery of 500 guests on 8 nodes, calls", calls as f64, "calls");
    figures.at_most(
        "first discovery of 500 guests on 8 nodes, each answer 5 ms late",
        best,
        allowed * 1.15,
        "ms",
    );
    figures.note(
        "that, as a multiple of calls × delay ÷ calls at once",
        best / allowed,
        "times",
    );
    figures.write()
}

/// Milliseconds of a first discovery, and its calls.
async fn discover() -> Result<(f64, u64)> {
    let sim = Sim::start(Options {
        scenario: Scenario::Fleet {
            clusters: 1,
            nodes: NODES,
            guests: GUESTS,
        },
        ..Options::default()
    })?;
    let cluster = &sim.clusters()[0];
    let server = Server::start(None).await?;
    sim.ctl(&format!(
        "fault set --cluster {} --name slow --arg {DELAY_MS}",
        cluster.name
    ))?;
    let id = server.add(cluster).await?;
    sim.take_calls(&cluster.name)?;
    let done = server.discovered(&id).await?;
    let took = done["duration_ms"].as_f64().context("a duration")?;
    Ok((took, sim.take_calls(&cluster.name)?.values().sum()))
}
