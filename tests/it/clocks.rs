//! Guests whose clock is an hour off. What is shifted is the server's clock: to the agent it is the same.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use muster::app::Error;
use muster::app::agents::NewOrder;
use muster_domain::{AgentId, CommandId, Timestamp};
use muster_protocol::{Outcome, Verb};

use crate::harness::agents::{Guest, debians, install, scan};
use crate::harness::{Lab, Muster, ShiftedClock, Start, can_run_agents, wait_for};

const HOUR: i64 = 3600;
/// Longer than the settings let a scan grow old.
const SHIFT: i64 = 7 * HOUR;

#[tokio::test(flavor = "multi_thread")]
async fn commands_run_and_expire_by_the_servers_clock() -> Result<()> {
    if !can_run_agents("commands_run_and_expire_by_the_servers_clock") {
        return Ok(());
    }
    let lab = debians(2)?;
    tokio::try_join!(
        shifted(&lab, Guest::of(&lab, 100), HOUR),
        shifted(&lab, Guest::of(&lab, 101), -HOUR),
    )?;
    Ok(())
}

async fn shifted(lab: &Lab, guest: Guest<'_>, seconds: i64) -> Result<()> {
    let clock = Arc::new(ShiftedClock::default());
    clock.shift(seconds);
    let start = Start {
        clock: clock.clone(),
        ..Start::default()
    };
    let muster = Muster::start_with(start).await?;
    muster.add(&lab.clusters()[0]).await?;
    muster.set_agent_url(&muster.url).await?;
    install(&muster, lab, &[guest]).await?;

    guest.close_gate()?;
    let job = scan(&muster, &[guest]).await?;
    guest.has_begun(1).await?;
    let late = order(&muster, guest).await?;
    let expires_at = Timestamp::from_micros(is_acknowledged(&muster, late).await?);
    wait_for("the end of the command's time", async || {
        Ok((muster.app.clock.now() > expires_at).then_some(()))
    })
    .await?;
    guest.open_gate()?;
    assert_eq!(muster.ended(&job).await?["state"], "succeeded");
    assert_eq!(failure(&muster, late).await?, "expired");
    assert_eq!(guest.scans()?, 1, "an expired command does not run");

    // Hours pass; the next scan comes by itself.
    clock.shift(SHIFT);
    guest.has_begun(2).await?;
    muster.assert_store_is_clean().await
}

/// Gives the agent a command that it cannot begin in time, since it is busy.
async fn order(muster: &Muster, guest: Guest<'_>) -> Result<CommandId> {
    let (app, id) = (&muster.app, guest.id(muster).await?.parse()?);
    let identity = app.identity().await?;
    let given: Result<(AgentId, CommandId), Error> = muster_store::write!(app.store, tx => {
        let agent = tx.agent_of(id).await?.expect("the guest has an agent");
        let order = NewOrder {
            verb: Verb::Scan { known_digest: None },
            target: None,
            start_within: Duration::from_secs(6),
            answer_within: Duration::from_secs(120),
        };
        Ok((AgentId(agent.id), app.order(tx, identity, &agent, order).await?))
    });
    let (agent, command) = given?;
    app.agents.links.hint(agent);
    Ok(command)
}

/// Waits until the agent has a command in its hands; answers until when it may begin.
async fn is_acknowledged(muster: &Muster, command: CommandId) -> Result<i64> {
    wait_for("the agent's acknowledgement", async || {
        let row = muster.app.store.read().await?.command(command).await?;
        let row = row.context("the command")?;
        Ok((row.state == "acked").then_some(row.expires_at))
    })
    .await
}

/// The code with which the agent answers.
async fn failure(muster: &Muster, command: CommandId) -> Result<String> {
    let outcome = wait_for("the agent's answer", async || {
        let row = muster.app.store.read().await?.command(command).await?;
        Ok(row.context("the command")?.outcome)
    });
    match serde_json::from_str(&outcome.await?)? {
        Outcome::Failed(failure) => Ok(failure.code),
        Outcome::Done { .. } => Ok("done".to_owned()),
    }
}
