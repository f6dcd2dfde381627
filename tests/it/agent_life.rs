//! An agent's life beside the main path: an address that leads nowhere, a new installation, removal, and the way out.

use anyhow::{Context as _, Result};
use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::harness::agents::{Guest, ask_for_lines, debians, install, scan};
use crate::harness::{Muster, can_run_agents, wait_for};

const STATUS: &str = "/usr/local/lib/muster/muster-agent status";

#[tokio::test(flavor = "multi_thread")]
async fn agents_are_replaced_removed_and_taken_out() -> Result<()> {
    if !can_run_agents("agents_are_replaced_removed_and_taken_out") {
        return Ok(());
    }
    let (lab, muster) = (debians(2)?, Muster::start().await?);
    muster.add(&lab.clusters()[0]).await?;
    let [one, other] = [100, 101].map(|vmid| Guest::of(&lab, vmid));
    nowhere(&muster, one).await?;
    muster.set_agent_url(&muster.url).await?;
    install(&muster, &lab, &[one, other]).await?;

    replaced(&muster, one).await?;
    removed_while_it_scans(&muster, one).await?;
    removed_while_it_is_offline(&muster, other).await?;
    install(&muster, &lab, &[one, other]).await?;
    let line = remove(&muster, one).await?;
    assert_eq!(one.sh(&line)?, "muster-agent is removed");
    assert_eq!(
        one.sh("ls -d /usr/local/lib/muster /var/lib/muster-agent /etc/systemd/system/muster* 2>/dev/null || :")?,
        ""
    );
    other.agent_is(&muster, "online").await?;
    muster.assert_store_is_clean().await
}

/// Guests cannot reach that address: the line says so, and leaves nothing behind.
async fn nowhere(muster: &Muster, guest: Guest<'_>) -> Result<()> {
    let wrong = "http://127.0.0.1:9";
    muster.set_agent_url(wrong).await?;
    let asked = ask_for_lines(muster, &[guest], false).await?;
    let line = asked["by_hand"]["guests"][0]["line"].as_str().context("a line")?;
    let (exit, said) = guest.run(line)?;
    assert!(exit != 0 && said.contains(&format!("cannot reach {wrong}")), "{said}");
    assert_ne!(guest.run("ls /usr/local/lib/muster")?.0, 0);
    Ok(())
}

/// Installing over a working agent gives it a new key and keeps it online.
async fn replaced(muster: &Muster, guest: Guest<'_>) -> Result<()> {
    let id = guest.id(muster).await?.parse()?;
    let key = async || -> Result<Vec<u8>> {
        let agent = muster.app.store.read().await?.agent_of(id).await?;
        Ok(agent.context("an agent")?.public_key)
    };
    let before = key().await?;
    let asked = ask_for_lines(muster, &[guest], true).await?;
    let line = asked["by_hand"]["guests"][0]["line"].as_str().context("a line")?;
    assert_eq!(guest.sh(line)?, "muster-agent is online");
    assert_eq!(muster.ended(&asked["job"]).await?["state"], "succeeded");
    assert_ne!(key().await?, before);
    Ok(())
}

/// The scan ends with a reason, and the agent is told that nobody knows it.
async fn removed_while_it_scans(muster: &Muster, guest: Guest<'_>) -> Result<()> {
    guest.close_gate()?;
    let job = scan(muster, &[guest]).await?;
    guest.has_begun(1).await?;
    remove(muster, guest).await?;
    let job = muster.ended(&job).await?;
    let target = muster.targets(&job).await?.remove(&guest.name()).context("a target")?;
    assert_eq!(
        (&job["state"], &target["reason"]["code"]),
        (&Value::from("failed"), &Value::from("agent_removed"))
    );
    guest.open_gate()?;
    is_unknown(guest).await
}

async fn removed_while_it_is_offline(muster: &Muster, guest: Guest<'_>) -> Result<()> {
    guest.sh("systemctl stop muster-agent")?;
    remove(muster, guest).await?;
    assert_eq!(guest.row(muster).await?["agent"]["state"], "none");
    guest.sh("systemctl start muster-agent")?;
    is_unknown(guest).await?;
    let path = format!("/api/v1/guests/{}/agent", guest.id(muster).await?);
    let again = muster.send(Method::DELETE, &path, None).await?;
    assert_eq!((again.status, again.code()), (StatusCode::CONFLICT, "no_agent"));
    Ok(())
}

/// Forgets the agent; answers the line that takes it out of the guest.
async fn remove(muster: &Muster, guest: Guest<'_>) -> Result<String> {
    let path = format!("/api/v1/guests/{}/agent", guest.id(muster).await?);
    let removed = muster.send(Method::DELETE, &path, None).await?.expect(StatusCode::OK)?;
    Ok(removed["line"].as_str().context("a line")?.to_owned())
}

async fn is_unknown(guest: Guest<'_>) -> Result<()> {
    wait_for("the agent's own word", async || {
        Ok(guest.run(STATUS)?.1.contains("(unknown_agent)").then_some(()))
    })
    .await
}
