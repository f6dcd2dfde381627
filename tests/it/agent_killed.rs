//! The agent is killed with a command on its way, in its hands or at work: its service starts it again, and the command ends
//! once, done or with a clear failure.

use anyhow::{Context as _, Result};
use muster_domain::CommandId;
use muster_domain::command::CommandState;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::harness::agents::{Guest, debians, install, scan};
use crate::harness::{Muster, can_run_agents, wait_for};

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_agent_loses_no_command_and_repeats_none() -> Result<()> {
    if !can_run_agents("a_killed_agent_loses_no_command_and_repeats_none") {
        return Ok(());
    }
    let (lab, muster) = (debians(3)?, Muster::start().await?);
    muster.add(&lab.clusters()[0]).await?;
    muster.set_agent_url(&muster.url).await?;
    let guests = [100, 101, 102].map(|vmid| Guest::of(&lab, vmid));
    install(&muster, &lab, &guests).await?;
    for guest in guests {
        guest.close_gate()?;
    }
    let [waiting, leased, started] = guests;
    tokio::try_join!(
        before_it_leases(&muster, waiting),
        before_it_acknowledges(&muster, leased),
        while_it_works(&muster, started),
    )?;
    for guest in guests {
        guest.agent_is(&muster, "online").await?;
    }
    muster.assert_store_is_clean().await
}

/// The command waits at the server, since the agent stands still; then the agent dies.
async fn before_it_leases(muster: &Muster, guest: Guest<'_>) -> Result<()> {
    guest.open_gate()?;
    guest.signal_agent("STOP")?;
    let job = scan(muster, &[guest]).await?;
    command_is(muster, &job, CommandState::Pending).await?;
    guest.signal_agent("KILL")?;
    assert_eq!(muster.ended(&job).await?["state"], "succeeded");
    assert_eq!(guest.scans()?, 1);
    Ok(())
}

/// The agent hangs while it writes the command down: somebody must read its journal before it can go on. Then it dies.
async fn before_it_acknowledges(muster: &Muster, guest: Guest<'_>) -> Result<()> {
    guest.open_gate()?;
    guest.sh("mkfifo /var/lib/muster-agent/journal.new")?;
    let job = scan(muster, &[guest]).await?;
    command_is(muster, &job, CommandState::Leased).await?;
    guest.sh("rm /var/lib/muster-agent/journal.new")?;
    guest.signal_agent("KILL")?;
    assert_eq!(muster.ended(&job).await?["state"], "succeeded");
    assert_eq!(guest.scans()?, 1);
    Ok(())
}

/// Nobody knows how far the scan came, so it is not repeated: a person decides to try again.
async fn while_it_works(muster: &Muster, guest: Guest<'_>) -> Result<()> {
    let job = scan(muster, &[guest]).await?;
    guest.has_begun(1).await?;
    command_is(muster, &job, CommandState::Acked).await?;
    guest.signal_agent("KILL")?;
    let job = muster.ended(&job).await?;
    assert_eq!(job["state"], "failed", "{job}");
    let target = muster.targets(&job).await?.remove(&guest.name()).context("a target")?;
    assert_eq!(target["reason"]["code"], "interrupted", "{target}");
    assert_eq!(guest.row(muster).await?["updates"]["state"], "failed");
    assert_eq!(guest.scans()?, 1);

    // What the dead agent had started goes on to its end.
    guest.open_gate()?;
    wait_for("the end of the first scan", async || {
        Ok((guest.run("pgrep apt-get")?.0 != 0).then_some(()))
    })
    .await?;
    let path = format!("/api/v1/jobs/{}/retry", job["id"].as_str().context("an id")?);
    let again = muster.post(&path, &json!({})).await?.expect(StatusCode::ACCEPTED)?;
    assert_eq!(muster.ended(&again["job"]).await?["state"], "succeeded");
    assert_eq!((guest.scans()?, &again["job"]["retry_of"]), (2, &job["id"]));
    Ok(())
}

/// Waits until the command of a job's only target is in that state.
async fn command_is(muster: &Muster, job: &Value, state: CommandState) -> Result<()> {
    let id = job["id"].as_str().context("an id")?.parse()?;
    wait_for(&format!("the command as {}", state.as_str()), async || {
        let mut tx = muster.app.store.read().await?;
        let target = tx.targets_of(id).await?.remove(0);
        let Some(memo) = target.memo else { return Ok(None) };
        let command: CommandId = memo.0["command"].as_str().context("a command")?.parse()?;
        let row = tx.command(command).await?.context("the command")?;
        Ok((row.state == state.as_str()).then_some(()))
    })
    .await
}
