//! How fast agents are heard: real ones that are given commands, fall silent and come back, and 5,000 that connect at once.
//! `cargo bench -p muster-tests --bench agents`

#[path = "../it/harness/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the harness serves the tests as well")]
mod harness;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signer as _, SigningKey};
use futures::future::try_join_all;
use futures::{SinkExt as _, StreamExt as _};
use harness::agents::{Guest, debians, install};
use harness::{Muster, can_run_agents, simulate, wait_for};
use muster::app::Error;
use muster::app::agents::NewOrder;
use muster_domain::{AgentId, CommandId, GuestId};
use muster_protocol::{AgentMessage, PROTOCOL_VERSION, ServerMessage, Verb, signing};
use muster_store::agents::AgentRow;
use proxmox_sim::Scenario;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::{Error as SocketError, Message};
use uuid::Uuid;

/// Agents that connect at once.
const MANY: usize = 5_000;
/// Commands to a real agent.
const COMMANDS: usize = 100;
/// Real agents that fall silent and come back.
const SILENT: u32 = 5;

/// How long an agent waits for a connection, and before its next try.
const PATIENCE_OF_AGENTS: Duration = Duration::from_secs(6);
const AGAIN: Duration = Duration::from_secs(1);

#[tokio::main]
async fn main() -> Result<()> {
    if can_run_agents("agents") {
        real_agents().await?;
    }
    many_at_once().await
}

async fn real_agents() -> Result<()> {
    let (lab, muster) = (debians(SILENT)?, Muster::start().await?);
    muster.add(&lab.clusters()[0]).await?;
    muster.set_agent_url(&muster.url).await?;
    let guests: Vec<Guest<'_>> = (100..100 + SILENT).map(|vmid| Guest::of(&lab, vmid)).collect();
    install(&muster, &lab, &guests).await?;
    let id = guests[0].id(&muster).await?.parse()?;
    let mut commands = Vec::new();
    for _ in 0..COMMANDS {
        let begun = Instant::now();
        let command = order(&muster, id).await?;
        wait_for("the agent's acknowledgement", async || {
            let row = muster.app.store.read().await?.command(command).await?;
            let waits = row.is_none_or(|row| matches!(row.state.as_str(), "pending" | "leased"));
            Ok((!waits).then_some(()))
        })
        .await?;
        commands.push(begun.elapsed());
    }
    print("a command to an online agent, until the agent has it", commands);
    for (signal, state) in [("STOP", "offline"), ("CONT", "online")] {
        let mut events = muster.events().await?;
        let begun = Instant::now();
        for guest in &guests {
            guest.signal_agent(signal)?;
        }
        let mut told = Vec::new();
        for _ in &guests {
            events
                .next("a change of state", |event| {
                    (event["kind"] == "agent.state" && event["state"] == state).then_some(())
                })
                .await?;
            told.push(begun.elapsed());
        }
        print(
            &format!("SIG{signal} to the agent, until agent.state={state} is on the stream"),
            told,
        );
    }
    Ok(())
}

/// Asks a guest's agent for its facts.
async fn order(muster: &Muster, guest: GuestId) -> Result<CommandId> {
    let app = &muster.app;
    let identity = app.identity().await?;
    let given: Result<(AgentId, CommandId), Error> = muster_store::write!(app.store, tx => {
        let agent = tx.agent_of(guest).await?.expect("the guest has an agent");
        let order = NewOrder {
            verb: Verb::Facts,
            target: None,
            start_within: Duration::from_secs(60),
            answer_within: Duration::from_secs(60),
        };
        Ok((AgentId(agent.id), app.order(tx, identity, &agent, order).await?))
    });
    let (agent, command) = given?;
    app.agents.links.hint(agent);
    Ok(command)
}

/// Agents whose server was away, each with a connection and a key of its own.
async fn many_at_once() -> Result<()> {
    let scenario = Scenario::Fleet {
        clusters: 10,
        nodes: 4,
        guests: MANY / 10,
    };
    let (lab, muster) = (simulate(scenario, false)?, Muster::start().await?);
    for cluster in lab.clusters() {
        muster.add(cluster).await?;
    }
    let keys: Vec<(Uuid, SigningKey)> = enrolled(&muster).await?;
    let url = muster.url.replacen("http", "ws", 1) + "/agent/v1/link";
    let (refused, failed) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let begun = Instant::now();
    let links = keys.into_iter().map(|(agent, key)| {
        let (url, refused, failed) = (url.clone(), refused.clone(), failed.clone());
        tokio::spawn(async move {
            loop {
                match link(&url, agent, &key).await {
                    Ok(Ok(socket)) => return Ok((socket, begun.elapsed())),
                    Ok(Err(again)) => {
                        refused.fetch_add(1, Ordering::Relaxed);
                        tokio::time::sleep(again).await;
                    }
                    Err(error) if matches!(error.downcast_ref(), Some(SocketError::Http(_))) => {
                        failed.fetch_add(1, Ordering::Relaxed);
                        tokio::time::sleep(AGAIN).await;
                    }
                    // The queue of new connections was full: an agent tries again, too.
                    Err(error) if matches!(error.downcast_ref(), Some(SocketError::Io(_))) => {
                        refused.fetch_add(1, Ordering::Relaxed);
                        tokio::time::sleep(AGAIN).await;
                    }
                    Err(error) => return Err(error),
                }
            }
        })
    });
    let mut open = Vec::new();
    for link in try_join_all(links).await? {
        open.push(link?);
    }
    let settled = open.iter().map(|(_, after)| *after).collect();
    print(
        &format!("{MANY} agents connect at once, until each is welcome"),
        settled,
    );
    println!(
        "connected again after a refusal: {}, answered with an HTTP error: {}, connected: {}",
        refused.load(Ordering::Relaxed),
        failed.load(Ordering::Relaxed),
        muster.app.agents.links.count()
    );
    Ok(())
}

/// Gives [`MANY`] guests an agent each.
async fn enrolled(muster: &Muster) -> Result<Vec<(Uuid, SigningKey)>> {
    let app = &muster.app;
    let mut guests = Vec::new();
    let mut tx = app.store.read().await?;
    for cluster in tx.clusters().await? {
        guests.extend(tx.guests_of(muster_domain::ClusterId(cluster.id)).await?);
    }
    drop(tx);
    ensure!(guests.len() >= MANY, "there are only {} guests", guests.len());
    let agents: Vec<(Uuid, SigningKey)> = guests
        .iter()
        .take(MANY)
        .map(|_| (app.ids.next(), SigningKey::from_bytes(&app.ids.secret())))
        .collect();
    let saved: Result<(), Error> = muster_store::write!(app.store, tx => {
        for (guest, (id, key)) in guests.iter().zip(&agents) {
            tx.save_agent(&AgentRow {
                id: *id,
                guest_id: guest.id,
                public_key: key.verifying_key().as_bytes().to_vec(),
                version: "0.1.0".to_owned(),
                facts: serde_json::json!({}).into(),
                machine: None,
                counter: 0,
                generation: 0,
                quarantine: None,
                enrolled_at: 0,
            })
            .await?;
        }
        Ok(())
    });
    saved?;
    Ok(agents)
}

type Socket = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

/// Connects and says hello: an open link, or how long to wait before the next try.
async fn link(url: &str, agent: Uuid, key: &SigningKey) -> Result<Result<Socket, Duration>> {
    let connected = tokio::time::timeout(PATIENCE_OF_AGENTS, connect_async(url)).await;
    let (mut socket, _) = connected.unwrap_or_else(|_| Err(SocketError::Io(std::io::ErrorKind::TimedOut.into())))?;
    let ServerMessage::Challenge { nonce, .. } = hear(&mut socket).await? else {
        return Ok(Err(Duration::from_secs(1)));
    };
    let (own, instance) = (BASE64.encode([1; 32]), Uuid::nil());
    let proof = signing::hello(agent, &nonce, &own, instance, 0);
    let hello = AgentMessage::Hello {
        agent,
        protocol: PROTOCOL_VERSION,
        agent_version: "0.1.0".to_owned(),
        nonce: own,
        instance,
        counter: 0,
        signature: BASE64.encode(key.sign(&proof).to_bytes()),
    };
    socket.send(Message::text(serde_json::to_string(&hello)?)).await?;
    match hear(&mut socket).await? {
        ServerMessage::Welcome { .. } => Ok(Ok(socket)),
        ServerMessage::Refused(refusal) => {
            let seconds = refusal.retry_after_seconds.with_context(|| refusal.detail.clone())?;
            Ok(Err(Duration::from_secs(seconds.into())))
        }
        other => bail!("{other:?}"),
    }
}

async fn hear(socket: &mut Socket) -> Result<ServerMessage> {
    let message = socket.next().await.context("the link ended")??;
    Ok(serde_json::from_str(message.to_text()?)?)
}

fn print(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |part: usize| times[(times.len() - 1) * part / 100].as_secs_f64();
    println!(
        "{what}: p50 {:.3} s, p95 {:.3} s, longest {:.3} s",
        at(50),
        at(95),
        at(100)
    );
}
