//! The program as a service manager and a person use it.

use std::process::{Output, Stdio};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::process::Command;
use uuid::Uuid;

use crate::guest::soon;
use crate::server::{TestServer, public_key};

fn agent(state: &TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_muster-agent"));
    command
        .args(arguments)
        .env("MUSTER_STATE_DIR", state.path())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

async fn ask(state: &TempDir, arguments: &[&str]) -> Result<(bool, String)> {
    let Output { status, stdout, stderr } = soon(agent(state, arguments).output()).await??;
    Ok((status.success(), String::from_utf8([stdout, stderr].concat())?))
}

#[tokio::test]
async fn enroll_run_status_and_a_clean_end() -> Result<()> {
    let server = TestServer::start().await?;
    let state = TempDir::new()?;
    let (url, key, id) = (server.url()?, server.public_key(), Uuid::new_v4());
    assert_eq!(
        ask(&state, &["status"]).await?,
        (false, "the agent has not run yet\n".to_owned())
    );
    let (unenrolled, said) = ask(&state, &["run"]).await?;
    assert!(!unenrolled && said.contains("not enrolled"), "{said}");

    let arguments = ["enroll", "--url", &url, "--token", "secret-token", "--server-key", &key];
    let (said, request) = tokio::try_join!(ask(&state, &arguments), server.enrolment("200 OK", server.granted(id)))?;
    assert_eq!(said, (true, format!("enrolled as {id}\n")));

    let mut running = agent(&state, &["run"]).stderr(Stdio::piped()).spawn()?;
    let mut peer = server.welcomed(&public_key(&request)?, 1).await?;
    peer.leased().await?;
    let online = ask(&state, &["status"]).await?;
    assert_eq!(online, (true, format!("online at {url}\n")));

    let pid = running
        .id()
        .and_then(|id| Pid::from_raw(id.try_into().ok()?))
        .context("runs")?;
    kill_process(pid, Signal::TERM)?;
    let status = soon(running.wait()).await??;
    assert!(status.success(), "{status}");
    assert!(!ask(&state, &["status"]).await?.0);
    Ok(())
}

#[tokio::test]
async fn a_killed_agent_is_not_online() -> Result<()> {
    let server = TestServer::start().await?;
    let state = TempDir::new()?;
    let (url, key) = (server.url()?, server.public_key());
    let arguments = ["enroll", "--url", &url, "--token", "t", "--server-key", &key];
    let answer = server.granted(Uuid::new_v4());
    let (_, request) = tokio::try_join!(ask(&state, &arguments), server.enrolment("200 OK", answer))?;
    let mut running = agent(&state, &["run"]).stderr(Stdio::null()).spawn()?;
    server.welcomed(&public_key(&request)?, 1).await?.leased().await?;
    running.kill().await?;
    let status = muster_agent::status::Status::read(&muster_agent::StateDir::open(state.path())?)?;
    assert_eq!(
        status.map(|status| status.phase),
        Some(muster_agent::status::Phase::Stopped)
    );
    Ok(())
}

#[tokio::test]
async fn help_teaches() -> Result<()> {
    let state = TempDir::new()?;
    let (_, help) = ask(&state, &["--help"]).await?;
    for word in ["opens no port", "run", "enroll", "scan", "status", "MUSTER_STATE_DIR"] {
        assert!(help.contains(word), "{word} is missing: {help}");
    }
    let (_, help) = ask(&state, &["enroll", "--help"]).await?;
    assert!(help.contains("one-time token"), "{help}");
    Ok(())
}
