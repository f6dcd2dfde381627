//! How fast a large fleet is read: 40 clusters with 4 nodes and 512 guests each, discovered over the wire from the
//! simulator. Prints medians and 95th percentiles. `cargo bench -p muster-tests --bench fleet`

#[path = "../it/harness/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the harness serves the tests as well")]
mod harness;

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use harness::{Muster, simulate};
use proxmox_sim::Scenario;

const CLUSTERS: usize = 40;
/// Requests measured per address.
const REQUESTS: usize = 200;

#[tokio::main]
async fn main() -> Result<()> {
    let scenario = Scenario::Fleet {
        clusters: CLUSTERS,
        nodes: 4,
        guests: 512,
    };
    let (lab, muster) = (simulate(scenario, false)?, Muster::start().await?);
    let started = Instant::now();
    let mut ids = Vec::new();
    for cluster in lab.clusters() {
        ids.push(muster.add(cluster).await?);
    }
    println!(
        "{CLUSTERS} clusters added and discovered: {:.1} s",
        started.elapsed().as_secs_f64()
    );
    let total = muster.get("/api/v1/guests?limit=1&total=true").await?["total"].clone();
    println!("guests: {total}");
    let page = muster.get("/api/v1/guests?limit=100").await?;
    let next = page["next"].as_str().context("a second page")?.to_owned();
    let hierarchy = format!("/api/v1/proxmox/clusters/{}/hierarchy", ids[CLUSTERS / 2]);
    for (name, path) in [
        ("one cluster's hierarchy", hierarchy.clone()),
        ("its nodes only", format!("{hierarchy}?depth=nodes")),
        ("first page of 100 guests", "/api/v1/guests?limit=100".to_owned()),
        ("second page", format!("/api/v1/guests?limit=100&cursor={next}")),
        (
            "page with a text that nothing has",
            "/api/v1/guests?limit=100&q=nothing-has-this".to_owned(),
        ),
        ("count of all guests", "/api/v1/guests?limit=1&total=true".to_owned()),
        ("all clusters", "/api/v1/proxmox/clusters".to_owned()),
    ] {
        measure(&muster, name, &path).await?;
    }
    println!(
        "resident memory of this process, simulator included: {} MiB",
        resident_mib()?
    );
    Ok(())
}

async fn measure(muster: &Muster, name: &str, path: &str) -> Result<()> {
    let mut times = Vec::with_capacity(REQUESTS);
    for _ in 0..REQUESTS {
        let started = Instant::now();
        muster.get(path).await?;
        times.push(started.elapsed());
    }
    times.sort();
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    println!(
        "{name}: p50 {:.1} ms, p95 {:.1} ms",
        ms(times[REQUESTS / 2]),
        ms(times[REQUESTS * 95 / 100])
    );
    Ok(())
}

fn resident_mib() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .context("VmRSS")?;
    let kib: u64 = line.split_whitespace().nth(1).context("a number")?.parse()?;
    Ok(kib / 1024)
}
