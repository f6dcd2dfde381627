//! How fast a large fleet is read, and what holding it costs: 40 clusters with 4 nodes and 512 guests each, discovered over
//! the wire from the simulator. On SQLite, and on PostgreSQL when `TEST_POSTGRES_URL` names a server.

mod measure;

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use futures::future::try_join_all;
use measure::figures::{Figures, quantile};
use measure::server::{Server, run_as_server};
use proxmox_sim::{Options, Scenario, Sim};

const CLUSTERS: usize = 40;
const NODES: usize = 4;
const GUESTS: usize = 512;
/// Requests measured per address and round.
const REQUESTS: usize = 100;
/// The best of so many rounds counts: what else the machine does only makes them worse.
const ROUNDS: usize = 3;
/// How long it is watched what the server does while nobody asks.
const QUIET: Duration = Duration::from_secs(60);
/// Browsers that watch.
const BROWSERS: usize = 50;

#[tokio::main]
async fn main() -> Result<()> {
    if run_as_server().await? {
        return Ok(());
    }
    let mut figures = Figures::of("fleet");
    on(&mut figures, "SQLite", None).await?;
    match std::env::var("TEST_POSTGRES_URL") {
        Ok(server) => on(&mut figures, "PostgreSQL", Some(&server)).await?,
        Err(_) => figures.missing("the fleet on PostgreSQL", "TEST_POSTGRES_URL names no server"),
    }
    figures.write()
}

async fn on(figures: &mut Figures, database: &str, postgres: Option<&str>) -> Result<()> {
    let sim = Sim::start(Options {
        scenario: Scenario::Fleet {
            clusters: CLUSTERS,
            nodes: NODES,
            guests: GUESTS,
        },
        ..Options::default()
    })?;
    let server = Server::start(postgres).await?;
    let started = Instant::now();
    let mut ids = Vec::new();
    for cluster in sim.clusters() {
        ids.push(server.add(cluster).await?);
    }
    for id in &ids {
        server.discovered(id).await?;
    }
    let took = started.elapsed().as_secs_f64();
    figures.note(&format!("{database}: 40 clusters added and discovered"), took, "s");

    let idle = quiet(figures, database, &sim, &server).await?;
    let hierarchy = format!("/api/v1/proxmox/clusters/{}/hierarchy", ids[CLUSTERS / 2]);
    let next = server.get("/api/v1/guests?limit=100").await?["next"].clone();
    let next = format!(
        "/api/v1/guests?limit=100&cursor={}",
        next.as_str().context("a second page")?
    );
    for (what, path, most) in [
        ("one cluster's hierarchy", hierarchy.as_str(), Some(10.0)),
        ("first page of 100 guests", "/api/v1/guests?limit=100", Some(10.0)),
        ("second page of 100 guests", &next, Some(10.0)),
        ("its nodes only", &format!("{hierarchy}?depth=nodes"), None),
        (
            "page with a text that nothing has",
            "/api/v1/guests?limit=100&q=nothing-has-this",
            None,
        ),
        ("count of all guests", "/api/v1/guests?limit=1&total=true", None),
        ("all clusters", "/api/v1/proxmox/clusters", None),
    ] {
        read(figures, &format!("{database}: {what}"), &server, path, most, idle).await?;
    }
    let what = format!("{database}: memory of the server");
    figures.at_most(&what, server.resident()?, 100.0, "MiB");
    watched(figures, database, &sim, &server, idle).await
}

/// What the server asks of each cluster, and what it uses by itself, as seconds of CPU per second.
async fn quiet(figures: &mut Figures, database: &str, sim: &Sim, server: &Server) -> Result<f64> {
    let calls = || -> Result<Vec<u64>> {
        let of = |cluster: &proxmox_sim::ClusterHandle| Ok(sim.take_calls(&cluster.name)?.values().sum());
        sim.clusters().iter().map(of).collect()
    };
    calls()?;
    let before = server.cpu()?;
    tokio::time::sleep(QUIET).await;
    let used = (server.cpu()? - before) / QUIET.as_secs_f64();
    let most = calls()?.into_iter().max().unwrap_or(0) as f64 * 60.0 / QUIET.as_secs_f64();
    figures.at_most(
        &format!("{database}: most PVE calls to one cluster in a quiet minute"),
        most,
        12.0,
        "calls",
    );
    figures.note(
        &format!("{database}: CPU of the server while nobody asks"),
        used * 100.0,
        "% of a core",
    );
    Ok(used)
}

async fn read(
    figures: &mut Figures,
    what: &str,
    server: &Server,
    path: &str,
    most: Option<f64>,
    idle: f64,
) -> Result<()> {
    let mut best = (f64::MAX, f64::MAX, f64::MAX);
    let mut bytes = 0;
    for _ in 0..ROUNDS {
        let mut times = Vec::with_capacity(REQUESTS);
        let (cpu, started) = (server.cpu()?, Instant::now());
        for _ in 0..REQUESTS {
            let asked = Instant::now();
            bytes = server.fetch(path).await?.len();
            times.push(asked.elapsed());
        }
        let used = server.cpu()? - cpu - idle * started.elapsed().as_secs_f64();
        best.0 = best.0.min(quantile(&mut times, 0.5));
        best.1 = best.1.min(quantile(&mut times, 0.95));
        best.2 = best.2.min(used.max(0.0) * 1000.0 / REQUESTS as f64);
    }
    figures.note(&format!("{what}, p50"), best.0, "ms");
    match most {
        Some(most) => figures.at_most(&format!("{what}, p95"), best.1, most, "ms"),
        None => figures.note(&format!("{what}, p95"), best.1, "ms"),
    }
    figures.note(&format!("{what}, CPU of the server"), best.2, "ms");
    figures.note(&format!("{what}, on the wire"), bytes as f64 / 1024.0, "KiB");
    Ok(())
}

/// How long a change takes until the last of many browsers has it, and what telling them all costs.
async fn watched(figures: &mut Figures, database: &str, sim: &Sim, server: &Server, idle: f64) -> Result<()> {
    let mut streams = Vec::new();
    for _ in 0..BROWSERS {
        streams.push(server.events().await?);
    }
    let cluster = &sim.clusters()[0].name;
    let (cpu, started) = (server.cpu()?, Instant::now());
    for vmid in 100..120 {
        sim.ctl(&format!("guest lock --cluster {cluster} --vmid {vmid}"))?;
    }
    try_join_all(streams.iter_mut().map(told)).await?;
    let took = started.elapsed();
    let used = server.cpu()? - cpu - idle * took.as_secs_f64();
    let what = format!("{database}: {BROWSERS} browsers");
    figures.at_most(
        &format!("{what}, a change of PVE's is with all of them"),
        took.as_secs_f64(),
        15.0,
        "s",
    );
    figures.note(
        &format!("{what}, CPU of the server for 20 changes"),
        used.max(0.0) * 1000.0,
        "ms",
    );
    Ok(())
}

/// Waits for the change of the last guest.
async fn told(stream: &mut reqwest::Response) -> Result<()> {
    let mut text = String::new();
    while !text.contains("\"vmid\":119") {
        text.push_str(&String::from_utf8_lossy(
            &stream.chunk().await?.context("the stream ended")?,
        ));
    }
    Ok(())
}
