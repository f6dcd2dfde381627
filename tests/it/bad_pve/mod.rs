//! The bad days of a Proxmox VE cluster: what the API says of each, and that all is well again when it is over.
//!
//! Nothing is discovered by itself here: a test says when, and how much time passes.

mod calls;
mod faults;
mod health;
mod life;
mod rights;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result};
use muster::app::discovery::{Summary, Trigger, run};
use muster::clock::Clock;
use muster::config::Config;
use muster_domain::Timestamp;
use proxmox_sim::{ClusterHandle, Scenario};
use reqwest::StatusCode;
use serde_json::Value;

use crate::harness::{Lab, Muster, Start, as_new, simulate};

/// The text that explains every code.
const EXPLAINED: &str = include_str!("../../../docs/errors.md");
/// How long the nodes of a cluster take to hear of each other's guests.
const NEWS: Duration = Duration::from_secs(11);

/// A simulator and a server whose clocks go on together, and only when told.
struct Yard {
    lab: Lab,
    muster: Muster,
    clock: Arc<HeldClock>,
}

/// The server's time.
struct HeldClock(AtomicI64);

impl Clock for HeldClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

impl Yard {
    /// The homelab and a server that knows nothing yet.
    async fn homelab() -> Result<Yard> {
        Yard::with_patience(Config::default().pve_timeout_seconds).await
    }

    /// The same, with a server that gives PVE so many seconds to answer.
    async fn with_patience(pve_timeout_seconds: u64) -> Result<Yard> {
        let lab = simulate(Scenario::Homelab, false)?;
        let clock = Arc::new(HeldClock(AtomicI64::new(lab.now().as_micros())));
        let start = Start {
            clock: clock.clone(),
            discovers: false,
            pve_timeout_seconds,
        };
        let muster = Muster::start_with(start).await?;
        Ok(Yard { lab, muster, clock })
    }

    /// Lets time pass on both sides.
    fn pass(&self, span: Duration) {
        self.lab.pass(span);
        let micros = i64::try_from(span.as_micros()).expect("a test's span is short");
        self.clock.0.fetch_add(micros, Ordering::SeqCst);
    }

    /// Adds a cluster and discovers it.
    async fn add(&self, cluster: &ClusterHandle) -> Result<String> {
        let added = self.muster.post(CLUSTERS, &as_new(cluster)).await?;
        let added = added.expect(StatusCode::CREATED)?;
        let id = added["id"].as_str().context("an id")?.to_owned();
        self.discover(&id, Trigger::Added).await?;
        Ok(id)
    }

    async fn discover(&self, id: &str, trigger: Trigger) -> Result<Summary, muster::app::Error> {
        let cluster = id.parse().expect("an id");
        run(&self.muster.app, cluster, trigger).await
    }

    /// Discovers, which has to fail, and answers the code of the failure.
    async fn refused(&self, id: &str) -> Result<&'static str> {
        match self.discover(id, Trigger::Request).await {
            Err(muster::app::Error::Upstream { code, .. } | muster::app::Error::Conflict { code, .. }) => Ok(code),
            other => anyhow::bail!("{other:?} instead of a refusal"),
        }
    }

    async fn cluster(&self, id: &str) -> Result<Value> {
        self.muster.get(&format!("{CLUSTERS}/{id}")).await
    }

    /// What the last line of the discovery log says of failures.
    async fn last_errors(&self, id: &str) -> Result<Value> {
        let log = self.muster.get(&format!("{CLUSTERS}/{id}/discoveries")).await?;
        Ok(log["items"][0]["errors"].clone())
    }
}

const CLUSTERS: &str = "/api/v1/proxmox/clusters";

/// Whether docs/errors.md says what a code means and what to do.
fn is_explained(code: &str) -> bool {
    EXPLAINED.lines().any(|line| line.starts_with(&format!("| `{code}` |")))
}
