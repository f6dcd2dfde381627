use anyhow::Result;
use ed25519_dalek::SigningKey;
use muster_agent::status::{Phase, Status};
use muster_agent::{Ended, RunError, StateDir};
use muster_protocol::{Refusal, ServerMessage, Verb};
use tempfile::TempDir;

use crate::guest::{Guest, until};
use crate::server::{TestServer, command};

fn phase(state: &StateDir) -> Option<Phase> {
    Status::read(state).ok().flatten().map(|status| status.phase)
}

#[tokio::test]
async fn both_ends_prove_themselves_and_the_counter_goes_on() -> Result<()> {
    let server = TestServer::start().await?;
    let guest = Guest::enrolled(&server).await?;
    let agent = guest.run()?;
    let mut first = server.link().await?;
    let hello = first.challenge().await?;
    hello.verify(&guest.key)?;
    assert_eq!((hello.agent, hello.counter), (guest.id, 0));
    first.welcome(&hello, 41).await?;
    first.leased().await?;
    first.heartbeat().await?;
    assert_eq!(phase(&guest.state()?), Some(Phase::Online));
    drop(first);

    let mut second = server.link().await?;
    let again = second.challenge().await?;
    assert_eq!((again.counter, again.instance), (41, hello.instance));
    assert_ne!(again.nonce, hello.nonce);
    second.welcome(&again, 42).await?;
    second.leased().await?;
    assert_eq!(agent.stop().await?, Ended::Stopped);
    assert_eq!(phase(&guest.state()?), Some(Phase::Stopped));

    let restarted = guest.run()?;
    let third = server.link().await?.challenge().await?;
    assert_eq!(third.counter, 42);
    assert_ne!(third.instance, hello.instance, "a restart can be told from a reconnect");
    restarted.kill().await;
    Ok(())
}

#[tokio::test]
async fn a_server_that_cannot_prove_itself_gets_no_word_more() -> Result<()> {
    let server = TestServer::start().await?;
    let guest = Guest::enrolled(&server).await?;
    let agent = guest.run()?;
    let mut peer = server.link().await?;
    let hello = peer.challenge().await?;
    peer.welcome_signed_by(&SigningKey::from_bytes(&[9; 32]), &hello, 99)
        .await?;
    peer.hung_up().await?;

    let mut peer = server.link().await?;
    assert_eq!(
        peer.challenge().await?.counter,
        0,
        "an impostor's counter is not taken over"
    );
    agent.kill().await;
    Ok(())
}

#[tokio::test]
async fn a_copied_identity_that_is_quarantined_stays_away() -> Result<()> {
    let server = TestServer::start().await?;
    let guest = Guest::enrolled(&server).await?;
    let agent = guest.run()?;
    let mut peer = server.welcomed(&guest.key, 7).await?;
    peer.leased().await?;
    agent.kill().await;

    // A copy of the disk from before the second link presents the counter of the first.
    let copy = TempDir::new()?;
    for name in ["identity.json", "counter.json"] {
        std::fs::copy(guest.folder.path().join(name), copy.path().join(name))?;
    }
    let original = guest.run()?;
    server.welcomed(&guest.key, 8).await?.leased().await?;
    original.kill().await;
    let copied = Guest {
        folder: copy,
        id: guest.id,
        key: guest.key,
        host: guest.host,
    };
    let agent = copied.run()?;
    let mut peer = server.link().await?;
    let hello = peer.challenge().await?;
    assert_eq!(hello.counter, 7, "this is how the server finds out");
    let detail = "two agents use this identity".to_owned();
    peer.say(&ServerMessage::Refused(Refusal {
        code: "quarantined".into(),
        detail,
        retry_after_seconds: None,
    }))
    .await?;
    peer.hung_up().await?;
    let state = copied.state()?;
    until(|| phase(&state) == Some(Phase::Refused)).await?;
    let problem = Status::read(&state)?
        .and_then(|status| status.problem)
        .unwrap_or_default();
    assert!(problem.contains("two agents use this identity"), "{problem}");
    agent.kill().await;
    Ok(())
}

#[tokio::test]
async fn a_restart_is_answered_first() -> Result<()> {
    let server = TestServer::start().await?;
    let guest = Guest::enrolled(&server).await?;
    let agent = guest.run()?;
    let mut peer = server.welcomed(&guest.key, 1).await?;
    peer.leased().await?;
    let restart = command(guest.id, Verb::Restart);
    peer.give(vec![peer.sign(&restart)?]).await?;
    peer.acked(restart.id).await?;
    peer.proceed(restart.id).await?;
    peer.answer(restart.id).await?;
    peer.say(&ServerMessage::Answered { command: restart.id }).await?;
    assert_eq!(agent.ended().await?, Ended::Restart);
    Ok(())
}

#[tokio::test]
async fn one_folder_has_one_running_agent() -> Result<()> {
    let server = TestServer::start().await?;
    let guest = Guest::enrolled(&server).await?;
    let agent = guest.run()?;
    let _peer = server.welcomed(&guest.key, 1).await?;
    let second = guest.run()?.ended().await.expect_err("the first one runs");
    assert!(
        matches!(second.downcast_ref(), Some(RunError::AlreadyRunning)),
        "{second}"
    );
    agent.kill().await;
    Ok(())
}
