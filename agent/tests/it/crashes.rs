//! What survives when an agent is killed.

use anyhow::Result;
use muster_protocol::Verb;

use crate::guest::{Guest, until};
use crate::server::{TestServer, command};

const SCAN: Verb = Verb::Scan { known_digest: None };

#[tokio::test]
async fn a_command_that_ran_when_the_agent_died_is_interrupted_and_not_repeated() -> Result<()> {
    let server = TestServer::start().await?;
    let guest = Guest::gated(&server).await?;
    let agent = guest.run()?;
    let mut peer = server.welcomed(&guest.key, 1).await?;
    peer.leased().await?;
    let scan = command(guest.id, SCAN);
    peer.give(vec![peer.sign(&scan)?]).await?;
    peer.acked(scan.id).await?;
    peer.proceed(scan.id).await?;
    until(|| guest.host.scans() == 1).await?;
    agent.kill().await;

    let agent = guest.run()?;
    let mut peer = server.welcomed(&guest.key, 2).await?;
    assert_eq!(peer.failure(scan.id).await?, "interrupted");
    peer.leased().await?;
    peer.give(vec![peer.sign(&scan)?]).await?;
    peer.confirm(scan.id).await?;
    peer.give(vec![peer.sign(&scan)?]).await?;
    agent.kill().await;

    // Confirmed is confirmed: the third life has nothing to say.
    let _agent = guest.run()?;
    let mut peer = server.welcomed(&guest.key, 3).await?;
    peer.leased().await?;
    assert_eq!(guest.host.scans(), 1);
    Ok(())
}

#[tokio::test]
async fn a_command_that_was_acknowledged_but_not_let_through_is_asked_for_again() -> Result<()> {
    let server = TestServer::start().await?;
    let guest = Guest::enrolled(&server).await?;
    let agent = guest.run()?;
    let mut peer = server.welcomed(&guest.key, 1).await?;
    peer.leased().await?;
    let scan = command(guest.id, SCAN);
    peer.give(vec![peer.sign(&scan)?]).await?;
    peer.acked(scan.id).await?;
    agent.kill().await;

    let _agent = guest.run()?;
    let mut peer = server.welcomed(&guest.key, 2).await?;
    peer.leased().await?;
    peer.acked(scan.id).await?;
    drop(peer);

    // The same without a crash: only the link was cut.
    let mut peer = server.welcomed(&guest.key, 3).await?;
    peer.leased().await?;
    peer.acked(scan.id).await?;
    peer.proceed(scan.id).await?;
    peer.answer(scan.id).await?;
    assert_eq!(guest.host.scans(), 1);
    Ok(())
}

#[tokio::test]
async fn an_outcome_survives_the_agent() -> Result<()> {
    let server = TestServer::start().await?;
    let guest = Guest::enrolled(&server).await?;
    let agent = guest.run()?;
    let mut peer = server.welcomed(&guest.key, 1).await?;
    peer.leased().await?;
    let scan = command(guest.id, SCAN);
    peer.give(vec![peer.sign(&scan)?]).await?;
    peer.acked(scan.id).await?;
    peer.proceed(scan.id).await?;
    let outcome = peer.answer(scan.id).await?;
    agent.kill().await;

    let _agent = guest.run()?;
    let mut peer = server.welcomed(&guest.key, 2).await?;
    assert_eq!(peer.answer(scan.id).await?, outcome);
    Ok(())
}
