//! The WebSocket of one agent: who are you, who am I, then messages until one of us goes.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use muster_domain::AgentId;
use muster_domain::agent::{HEARTBEAT, OFFLINE_AFTER};
use muster_protocol::{AgentMessage, PROTOCOL_VERSION, Refusal, ServerMessage, signing};

use super::Session;
use super::socket::{Accepted, Ended, Socket};
use crate::app::agents::{Admission, Hello, refuse};
use crate::app::{App, Error};
use crate::http::problem::Problem;

/// From the first byte to the hello.
const HELLO_TIME: Duration = Duration::from_secs(10);
/// How long a proven agent waits for its turn at the database.
const TURN: Duration = Duration::from_secs(15);
/// Agents that are told to come back do so within this many seconds, spread evenly, and up to half as long again by their own
/// jitter: before they count as offline.
const COME_BACK: u32 = 16;

/// `GET /agent/v1/link`: becomes a WebSocket.
pub(super) async fn link(State(app): State<App>, mut request: Request) -> Response {
    let Some(accepted) = Accepted::take(&mut request) else {
        return Problem::new(
            StatusCode::BAD_REQUEST,
            "bad_request",
            "this address is for agents: it takes WebSockets only",
        )
        .into_response();
    };
    let answer = accepted.answer();
    app.clone().lifecycle.spawn("agent link", async move {
        if let Err(ended) = serve(&app, accepted).await {
            tracing::debug!(error = %ended, "an agent's link has ended");
        }
    });
    answer
}

/// Why a link ended before or while it was served.
#[derive(Debug, thiserror::Error)]
enum Over {
    #[error(transparent)]
    Socket(#[from] Ended),
    #[error("no hello came within {} s", HELLO_TIME.as_secs())]
    NoHello,
    #[error("nothing was heard of the agent for {} s", OFFLINE_AFTER.as_secs())]
    Silent,
    #[error("the agent was refused: {0}")]
    Refused(String),
    #[error(transparent)]
    Server(#[from] Error),
}

async fn serve(app: &App, accepted: Accepted) -> Result<(), Over> {
    let Some(mut socket) = accepted.socket().await else {
        return Ok(());
    };
    // Held until the agent is known, so that strangers cannot fill the memory.
    let Ok(place) = app.agents.handshakes.clone().try_acquire_owned() else {
        return turn_away(socket, busy(app)).await;
    };
    let (hello, nonce) = ask_who(app, &mut socket).await?;
    let agent = hello.agent;
    let agent_nonce = hello.nonce.clone();
    let (session, counter) = match admit(app, hello).await {
        Ok(Admission::Welcome { session, counter }) => (session, counter),
        Ok(Admission::Refused(refusal)) => return turn_away(socket, refusal).await,
        Err(error) => {
            tracing::warn!(%error, agent.id = %agent, "an agent could not be let in; it is told to come back");
            return turn_away(socket, busy(app)).await;
        }
    };
    let mut socket = socket.trusted().await;
    drop(place);
    let ended = async {
        welcome(app, &mut socket, agent, &agent_nonce, &nonce, counter).await?;
        talk(app, &mut socket, &session).await
    }
    .await;
    app.agents.links.closed(&session);
    match ended {
        Ok(reason) => {
            socket.close(reason).await;
            Ok(())
        }
        Err(over) => Err(over),
    }
}

/// Challenges the peer and reads its hello. Answers the nonce it had to sign.
async fn ask_who(app: &App, socket: &mut Socket) -> Result<(Hello, String), Over> {
    let nonce = BASE64.encode(app.ids.secret());
    socket
        .send(&ServerMessage::Challenge {
            nonce: nonce.clone(),
            protocol: PROTOCOL_VERSION,
        })
        .await?;
    let message = tokio::time::timeout(HELLO_TIME, socket.receive())
        .await
        .map_err(|_| Over::NoHello)??;
    let AgentMessage::Hello {
        agent,
        protocol,
        agent_version,
        nonce: agent_nonce,
        instance,
        counter,
        signature,
    } = message
    else {
        return Err(Ended::Meaningless("it is no hello".to_owned()).into());
    };
    let proof = signing::hello(agent, &nonce, &agent_nonce, instance, counter);
    let hello = Hello {
        agent: AgentId(agent),
        protocol,
        version: agent_version,
        nonce: agent_nonce,
        counter,
        proof,
        signature,
    };
    Ok((hello, nonce))
}

async fn admit(app: &App, hello: Hello) -> Result<Admission, Error> {
    match tokio::time::timeout(TURN, app.agents.admissions.acquire()).await {
        Ok(Ok(_turn)) => app.admit_agent(hello).await,
        _ => Ok(Admission::Refused(busy(app))),
    }
}

async fn welcome(
    app: &App,
    socket: &mut Socket,
    agent: AgentId,
    agent_nonce: &str,
    nonce: &str,
    counter: u64,
) -> Result<(), Over> {
    let server_time = app.clock.now().as_micros();
    let proof = signing::welcome(agent.0, agent_nonce, nonce, server_time, counter);
    let message = ServerMessage::Welcome {
        signature: app.identity().await?.sign(&proof),
        server_time,
        counter,
        heartbeat_seconds: u16::try_from(HEARTBEAT.as_secs()).unwrap_or(u16::MAX),
    };
    Ok(socket.send(&message).await?)
}

/// Serves a welcomed agent. Answers why the server ends the link.
async fn talk(app: &App, socket: &mut Socket, session: &Session) -> Result<&'static str, Over> {
    let stopping = app.lifecycle.stopping();
    loop {
        tokio::select! {
            message = tokio::time::timeout(OFFLINE_AFTER, socket.receive()) => {
                let message = message.map_err(|_| Over::Silent)??;
                app.agents.links.heard(session, app.clock.now());
                if let Some(answer) = react(app, session.agent, message).await? {
                    socket.send(&answer).await?;
                }
            }
            () = session.hinted() => socket.send(&ServerMessage::Hint).await?,
            () = session.left() => return Ok("a newer connection counts, or this agent is no longer known"),
            () = stopping.cancelled() => return Ok("the server stops"),
        }
    }
}

async fn react(app: &App, agent: AgentId, message: AgentMessage) -> Result<Option<ServerMessage>, Over> {
    let answer = match message {
        AgentMessage::Heartbeat => ServerMessage::Heartbeat {
            server_time: app.clock.now().as_micros(),
        },
        AgentMessage::Lease { limit } => {
            let commands = app.lease_commands(agent, limit).await?;
            if commands.is_empty() {
                return Ok(None);
            }
            ServerMessage::Commands { commands }
        }
        AgentMessage::Ack { command } => ServerMessage::Acked {
            command,
            proceed: app.ack_command(agent, command.into()).await?,
        },
        AgentMessage::Answer { command, outcome } => {
            app.answer_command(agent, command.into(), &outcome).await?;
            ServerMessage::Answered { command }
        }
        AgentMessage::Hello { .. } => {
            return Err(Ended::Meaningless("a second hello".to_owned()).into());
        }
    };
    Ok(Some(answer))
}

async fn turn_away(mut socket: Socket, refusal: Refusal) -> Result<(), Over> {
    let code = refusal.code.clone();
    socket.send(&ServerMessage::Refused(refusal)).await?;
    socket.close("refused").await;
    Err(Over::Refused(code))
}

fn busy(app: &App) -> Refusal {
    let spread = app.ids.secret();
    let seconds = 1 + u32::from_le_bytes([spread[0], spread[1], spread[2], spread[3]]) % COME_BACK;
    refuse(
        "busy",
        "many agents connect at once; this one is asked to come back",
        Some(seconds),
    )
}
