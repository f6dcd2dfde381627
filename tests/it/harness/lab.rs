//! Simulated Proxmox VE beside the server.

use std::io::Write as _;
use std::ops::Deref;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use muster_domain::Timestamp;
use proxmox_sim::ctl::{GuestRequest, NodeRequest, OneGuest, OneNode, Request};
use proxmox_sim::{Clock, ClusterHandle, Options, Scenario, Sim, SteppedClock, Timing};
use serde_json::{Value, json};

use super::place::agents;

/// A simulator whose time passes when it is told to.
pub(crate) struct Lab {
    sim: Sim,
    clock: SteppedClock,
}

impl Lab {
    /// The time in the simulated clusters.
    pub(crate) fn now(&self) -> Timestamp {
        let millis = i64::try_from(self.clock.now()).unwrap_or(i64::MAX / 1000);
        Timestamp::from_micros(millis * 1000)
    }

    /// Lets time pass in the simulated clusters; their nodes tell each other of their guests every 10 s.
    pub(crate) fn pass(&self, span: Duration) {
        self.clock.advance(span);
    }

    /// Runs a line in the root shell of a guest. Answers its exit code and what it printed.
    pub(crate) fn in_guest(&self, cluster: &str, vmid: u32, line: &str) -> Result<(i64, String)> {
        let guest = OneGuest {
            cluster: cluster.to_owned(),
            vmid,
        };
        let command = ["sh", "-c", line].map(str::to_owned).to_vec();
        self.run(Request::Guest(GuestRequest::Exec { guest, command }))
    }

    /// Runs a line in the root shell of a node, where a person would paste it.
    pub(crate) fn on_node(&self, cluster: &str, node: &str, line: &str) -> Result<(i64, String)> {
        let node = OneNode {
            cluster: cluster.to_owned(),
            node: node.to_owned(),
        };
        let line = vec![line.to_owned()];
        self.run(Request::Node(NodeRequest::Shell { node, line }))
    }

    fn run(&self, request: Request) -> Result<(i64, String)> {
        // What runs there may talk to a server on the same runtime.
        let ran = tokio::task::block_in_place(|| self.sim.perform(request))?;
        let text = |stream: &str| ran[stream].as_str().unwrap_or_default().to_owned();
        Ok((
            ran["exit"].as_i64().context("an exit code")?,
            text("stdout") + &text("stderr"),
        ))
    }
}

impl Deref for Lab {
    type Target = Sim;

    fn deref(&self) -> &Sim {
        &self.sim
    }
}

/// The clusters of somebody's home.
pub(crate) fn homelab() -> Result<Lab> {
    simulate(Scenario::Homelab, false)
}

/// The same, with a call that runs commands in containers, which no released Proxmox VE has.
pub(crate) fn homelab_with_exec() -> Result<Lab> {
    simulate(Scenario::Homelab, true)
}

/// Some clusters. What Proxmox VE delays on purpose is answered at once.
pub(crate) fn simulate(scenario: Scenario, lxc_exec: bool) -> Result<Lab> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let clock = SteppedClock::at(u64::try_from(now.as_millis())?);
    let sim = Sim::start(Options {
        scenario,
        timing: Timing {
            failed_login: Duration::ZERO,
            unreachable: Duration::ZERO,
            ..Timing::default()
        },
        lxc_exec,
        clock: Clock::Stepped(clock.clone()),
        ..Options::default()
    })?;
    Ok(Lab { sim, clock })
}

/// What one sends to add a simulated cluster.
pub(crate) fn as_new(cluster: &ClusterHandle) -> Value {
    json!({
        "name": cluster.title,
        "endpoints": cluster.endpoints,
        "token_id": cluster.token_id,
        "token_secret": cluster.token_secret,
        "tls": { "mode": "pinned", "fingerprint": cluster.fingerprint },
    })
}

/// Whether the static agent and guests that can run it are here. Without them the test is noted as skipped.
pub(crate) fn can_run_agents(test: &str) -> bool {
    has_all(test, || match agents() {
        None => Some("TEST_AGENTS names no folder with the agent".to_owned()),
        Some(_) => proxmox_sim::check_guests().err().map(|error| format!("{error:#}")),
    })
}

/// Whether nginx is here. Without it the test is noted as skipped.
pub(crate) fn can_proxy(test: &str) -> bool {
    has_all(test, || {
        let found = Command::new("nginx").arg("-v").stderr(Stdio::null()).status();
        found.err().map(|_| "there is no nginx on this machine".to_owned())
    })
}

/// Notes a test as skipped when something is missing. In CI that is a failure.
fn has_all(test: &str, missing: impl FnOnce() -> Option<String>) -> bool {
    let Some(missing) = missing() else { return true };
    assert!(
        std::env::var_os("CI").is_none(),
        "{test} cannot be skipped in CI: {missing}"
    );
    eprintln!("skipped: {test}: {missing}");
    if let Some(path) = std::env::var_os("TEST_SKIPS") {
        let file = std::fs::File::options().append(true).create(true).open(path);
        let noted = file.and_then(|mut file| writeln!(file, "{test}: {missing}"));
        noted.expect("the list of skips is written");
    }
    false
}
