use anyhow::{Context, Result, bail};
use muster_protocol::{AgentMessage, Command, Outcome, Report, ServerMessage, SignedCommand, Verb};
use serde_json::json;
use uuid::Uuid;

use crate::guest::{Guest, Running};
use crate::server::{Peer, TestServer, command};

const SCAN: Verb = Verb::Scan { known_digest: None };

async fn linked() -> Result<(TestServer, Guest, Running, Peer)> {
    let server = TestServer::start().await?;
    let guest = Guest::enrolled(&server).await?;
    let agent = guest.run()?;
    let mut peer = server.welcomed(&guest.key, 1).await?;
    peer.leased().await?;
    Ok((server, guest, agent, peer))
}

/// Has a command done and gives its outcome, which is not confirmed yet.
async fn done(peer: &mut Peer, command: &Command) -> Result<Outcome> {
    peer.give(vec![peer.sign(command)?]).await?;
    peer.acked(command.id).await?;
    peer.proceed(command.id).await?;
    peer.answer(command.id).await
}

#[tokio::test]
async fn a_command_is_done_once_however_often_it_comes() -> Result<()> {
    let (_server, guest, _agent, mut peer) = linked().await?;
    let scan = command(guest.id, SCAN);
    let Outcome::Done {
        report: Report::Scan {
            digest,
            report: Some(report),
        },
    } = done(&mut peer, &scan).await?
    else {
        bail!("no report")
    };
    assert_eq!(
        (report["manager"].as_str(), report["updates"].as_array().map(Vec::len)),
        (Some("apt"), Some(0))
    );
    peer.confirm(scan.id).await?;
    peer.give(vec![peer.sign(&scan)?]).await?;

    let again = command(
        guest.id,
        Verb::Scan {
            known_digest: Some(digest.clone()),
        },
    );
    let outcome = done(&mut peer, &again).await?;
    assert_eq!(
        outcome,
        Outcome::Done {
            report: Report::Scan { digest, report: None }
        }
    );
    assert_eq!(guest.host.scans(), 2, "the repeated command was passed over");
    Ok(())
}

#[tokio::test]
async fn facts_are_those_of_this_machine() -> Result<()> {
    let (_server, guest, _agent, mut peer) = linked().await?;
    let Outcome::Done {
        report: Report::Facts(facts),
    } = done(&mut peer, &command(guest.id, Verb::Facts)).await?
    else {
        bail!("no facts")
    };
    assert_eq!(
        facts.hostname,
        std::fs::read_to_string("/proc/sys/kernel/hostname")?.trim()
    );
    assert_eq!(facts.machine.map_or(64, |digest| digest.len()), 64);
    Ok(())
}

#[tokio::test]
async fn an_unconfirmed_answer_is_sent_again_on_the_next_link() -> Result<()> {
    let (server, guest, _agent, mut peer) = linked().await?;
    let scan = command(guest.id, SCAN);
    let outcome = done(&mut peer, &scan).await?;
    drop(peer);
    let mut peer = server.welcomed(&guest.key, 2).await?;
    assert_eq!(peer.answer(scan.id).await?, outcome);
    peer.leased().await?;
    peer.give(vec![peer.sign(&scan)?]).await?;
    peer.confirm(scan.id).await?;
    assert_eq!(guest.host.scans(), 1);
    Ok(())
}

#[tokio::test]
async fn an_outcome_that_comes_while_the_link_is_down_waits() -> Result<()> {
    let server = TestServer::start().await?;
    let guest = Guest::gated(&server).await?;
    let _agent = guest.run()?;
    let mut peer = server.welcomed(&guest.key, 1).await?;
    peer.leased().await?;
    let scan = command(guest.id, SCAN);
    peer.give(vec![peer.sign(&scan)?]).await?;
    peer.acked(scan.id).await?;
    peer.proceed(scan.id).await?;
    crate::guest::until(|| guest.host.scans() == 1).await?;
    drop(peer);
    let mut peer = server.link().await?;
    guest.host.open_gate();
    let hello = peer.challenge().await?;
    peer.welcome(&hello, 2).await?;
    // The scan may end before or after the welcome; the lease comes in both cases.
    let heard = [peer.hear().await?, peer.hear().await?];
    assert!(
        heard
            .iter()
            .any(|message| matches!(message, AgentMessage::Lease { .. })),
        "{heard:?}"
    );
    let done = |message: &&AgentMessage| matches!(message, AgentMessage::Answer { command, outcome: Outcome::Done { .. } } if *command == scan.id);
    assert!(heard.iter().any(|message| done(&message)), "{heard:?}");
    Ok(())
}

#[tokio::test]
async fn what_must_not_run_is_refused_with_a_reason() -> Result<()> {
    let (_server, guest, _agent, mut peer) = linked().await?;
    let good = command(guest.id, SCAN);

    let expired = Command {
        id: Uuid::new_v4(),
        expires_at: good.issued_at - 1,
        ..good.clone()
    };
    peer.give(vec![peer.sign(&expired)?]).await?;
    assert_eq!(peer.failure(expired.id).await?, "expired");

    let foreign = Command {
        id: Uuid::new_v4(),
        agent: Uuid::new_v4(),
        ..good.clone()
    };
    peer.give(vec![peer.sign(&foreign)?]).await?;
    assert_eq!(peer.failure(foreign.id).await?, "refused");

    let signed = peer.sign(&Command {
        id: Uuid::new_v4(),
        ..good.clone()
    })?;
    let tampered = SignedCommand {
        payload: signed.payload.replace("scan", "facts"),
        ..signed
    };
    let id = serde_json::from_str::<Command>(&tampered.payload)?.id;
    peer.give(vec![tampered]).await?;
    assert_eq!(peer.failure(id).await?, "refused");

    let mut unknown = serde_json::to_value(&good)?;
    unknown["verb"] = json!({ "name": "run_script", "text": "rm -rf /" });
    unknown["id"] = json!(Uuid::new_v4());
    let payload = unknown.to_string();
    peer.give(vec![peer.sign_text(&payload)]).await?;
    assert_eq!(
        peer.failure(unknown["id"].as_str().context("id")?.parse()?).await?,
        "unsupported"
    );

    let newer = Command {
        id: Uuid::new_v4(),
        generation: 5,
        verb: Verb::Facts,
        ..good.clone()
    };
    done(&mut peer, &newer).await?;
    peer.confirm(newer.id).await?;
    peer.give(vec![peer.sign(&good)?]).await?;
    assert_eq!(peer.failure(good.id).await?, "refused", "it is from before a rollback");
    assert_eq!(guest.host.scans(), 0);
    Ok(())
}

#[tokio::test]
async fn a_command_that_was_cancelled_meanwhile_does_not_run() -> Result<()> {
    let (_server, guest, _agent, mut peer) = linked().await?;
    let cancelled = command(guest.id, SCAN);
    peer.give(vec![peer.sign(&cancelled)?]).await?;
    peer.acked(cancelled.id).await?;
    peer.say(&ServerMessage::Acked {
        command: cancelled.id,
        proceed: false,
    })
    .await?;
    done(&mut peer, &command(guest.id, Verb::Facts)).await?;
    assert_eq!(guest.host.scans(), 0);
    Ok(())
}

#[tokio::test]
async fn a_hint_is_answered_by_a_lease() -> Result<()> {
    let (_server, _guest, _agent, mut peer) = linked().await?;
    peer.say(&ServerMessage::Hint).await?;
    peer.leased().await
}
