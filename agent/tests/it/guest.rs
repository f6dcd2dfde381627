//! A guest for tests: a state folder, an identity, a host that is under the test's control.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use ed25519_dalek::VerifyingKey;
use futures::future::BoxFuture;
use muster_agent::connect::Trust;
use muster_agent::host::{HostError, Limits, Output};
use muster_agent::{Ended, Host, Options, RunError, StateDir, enrol, run};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use uuid::Uuid;

use crate::server::{TestServer, public_key};

/// The deadline of everything that a test waits for.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> Result<T> {
    timeout(Duration::from_secs(30), future)
        .await
        .context("nothing happened for 30 seconds")
}

/// Waits until something is the case.
pub(crate) async fn until(condition: impl Fn() -> bool) -> Result<()> {
    soon(async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
}

pub(crate) struct Guest {
    pub(crate) folder: TempDir,
    pub(crate) id: Uuid,
    pub(crate) key: VerifyingKey,
    pub(crate) host: Arc<TestHost>,
}

/// An agent that runs in its own task. Dropping it is a kill: nothing is tidied up.
pub(crate) struct Running {
    task: JoinHandle<Result<Ended, RunError>>,
    stop: Arc<Notify>,
}

/// Answers every scan with an up-to-date apt system.
#[derive(Default)]
pub(crate) struct TestHost {
    scans: AtomicUsize,
    /// When set, scans wait for it.
    pub(crate) gate: Option<Notify>,
}

impl Guest {
    /// A guest whose agent is enrolled.
    pub(crate) async fn enrolled(server: &TestServer) -> Result<Self> {
        Self::with_host(server, TestHost::default()).await
    }

    /// A guest whose scans do not end before the gate is opened.
    pub(crate) async fn gated(server: &TestServer) -> Result<Self> {
        Self::with_host(
            server,
            TestHost {
                gate: Some(Notify::new()),
                ..TestHost::default()
            },
        )
        .await
    }

    pub(crate) fn state(&self) -> Result<StateDir> {
        Ok(StateDir::open(self.folder.path())?)
    }

    pub(crate) fn run(&self) -> Result<Running> {
        let (state, host) = (self.state()?, self.host.clone());
        let stop = Arc::new(Notify::new());
        let stopped = stop.clone();
        let options = Options {
            first_wait: Duration::from_millis(1),
            ..Options::default()
        };
        let task = tokio::spawn(async move { run(&state, host, options, stopped.notified()).await });
        Ok(Running { task, stop })
    }

    async fn with_host(server: &TestServer, host: TestHost) -> Result<Self> {
        let folder = TempDir::new()?;
        let state = StateDir::open(folder.path())?;
        let id = Uuid::new_v4();
        let enrolment = enrol(
            &state,
            &host,
            server.server(Trust::WellKnown)?,
            server.server_key()?,
            "token",
        );
        let (_, request) = tokio::try_join!(
            async { enrolment.await.map_err(anyhow::Error::from) },
            Box::pin(server.enrolment("200 OK", server.granted(id))),
        )?;
        Ok(Self {
            folder,
            id,
            key: public_key(&request)?,
            host: Arc::new(host),
        })
    }
}

impl Running {
    /// Ends the agent as a kill does.
    pub(crate) async fn kill(self) {
        self.task.abort();
        // An aborted task has an error for a result.
        let _ = self.task.await;
    }

    pub(crate) async fn stop(self) -> Result<Ended> {
        self.stop.notify_one();
        self.ended().await
    }

    pub(crate) async fn ended(self) -> Result<Ended> {
        Ok(soon(self.task).await???)
    }
}

impl TestHost {
    pub(crate) fn scans(&self) -> usize {
        self.scans.load(Ordering::SeqCst)
    }

    pub(crate) fn open_gate(&self) {
        if let Some(gate) = &self.gate {
            gate.notify_one();
        }
    }
}

impl Host for TestHost {
    fn run<'a>(&'a self, script: &'a str, limits: Limits) -> BoxFuture<'a, Result<Output, HostError>> {
        Box::pin(async move {
            if !script.contains("muster-begin 1 %s\\n' 'scan'") {
                return muster_agent::Shell.run(script, limits).await;
            }
            self.scans.fetch_add(1, Ordering::SeqCst);
            if let Some(gate) = &self.gate {
                gate.notified().await;
            }
            Ok(Output {
                stdout: up_to_date(),
                stderr: String::new(),
            })
        })
    }
}

/// What the scan script prints on an apt system with nothing to update.
fn up_to_date() -> Vec<u8> {
    let counts = "0 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.";
    let sections = [
        ("manager", "apt"),
        ("refresh", ""),
        ("unfinished", ""),
        ("reboot", "no"),
        ("simulate", counts),
        ("sources", "Package files:"),
        ("restarts", ""),
    ];
    let mut answer = "%muster-begin 1 scan\n".to_owned();
    for (name, body) in sections {
        let lines = if body.is_empty() {
            String::new()
        } else {
            format!("|{body}\n")
        };
        let sum = hex::encode(Sha256::digest(body));
        answer += &format!("%muster-section {name}\n{lines}%muster-end {name} 0 {sum}\n");
    }
    answer += &format!("%muster-done scan {}\n", sections.len());
    answer.into_bytes()
}
