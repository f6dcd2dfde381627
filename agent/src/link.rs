//! One WebSocket to the server, from the connection to its end: mutual proof, then messages.
//!
//! The link carries hints and answers but decides nothing: whatever it loses is sent again on the next one.

use std::collections::HashSet;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::{SinkExt, StreamExt};
use muster_protocol::{AgentMessage, MAX_MESSAGE_BYTES, Outcome, PROTOCOL_VERSION, Refusal, ServerMessage, signing};
use thiserror::Error;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::USER_AGENT;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as SocketError, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};
use uuid::Uuid;

use crate::VERSION;
use crate::clock::ServerClock;
use crate::commands::{Confirmed, Reaction};
use crate::connect::{ConnectError, Stream};
use crate::identity::{Identity, random};
use crate::run::Shared;
use crate::state::{StateDir, StateError};
use crate::status::{self, Phase};

/// For each step of the handshake, and for a message to leave.
const STEP: Duration = Duration::from_secs(20);
/// A proxy with usual settings ends a link that is silent for 60 seconds.
const LONGEST_HEARTBEAT: u16 = 20;
const COUNTER: &str = "counter.json";

/// An open link whose both ends are proven.
pub(crate) struct Link {
    socket: WebSocketStream<Box<dyn Stream>>,
    heartbeat: Duration,
}

/// Why a link is over.
#[derive(Debug, Error)]
pub(crate) enum LinkError {
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error("the server does not let this agent in: {} ({})", .0.detail, .0.code)]
    Refused(Refusal),
    #[error("the server did not prove that it is the one this agent was enrolled at: {0}")]
    Impostor(&'static str),
    #[error("the link to the server broke: {0}")]
    Broken(String),
    #[error(transparent)]
    State(#[from] StateError),
}

impl Link {
    /// Connects, proves this agent and has the server prove itself. The counter for the next time is stored before this
    /// returns.
    pub(crate) async fn open(
        identity: &Identity,
        state: &StateDir,
        instance: Uuid,
    ) -> Result<(Self, ServerClock), LinkError> {
        let mut link = Self::connect(identity).await?;
        let ServerMessage::Challenge {
            nonce: server_nonce, ..
        } = link.hear().await?
        else {
            return Err(LinkError::Impostor("it sent no challenge"));
        };
        let agent_nonce = STANDARD.encode(random::<32>());
        let counter = state.read(COUNTER)?.unwrap_or(0);
        let asked = Instant::now();
        let proof = signing::hello(identity.agent, &server_nonce, &agent_nonce, instance, counter);
        link.say(&AgentMessage::Hello {
            agent: identity.agent,
            protocol: PROTOCOL_VERSION,
            agent_version: VERSION.to_owned(),
            nonce: agent_nonce.clone(),
            instance,
            counter,
            signature: identity.key.sign(&proof),
        })
        .await?;
        let ServerMessage::Welcome {
            signature,
            server_time,
            counter,
            heartbeat_seconds,
        } = link.hear().await?
        else {
            return Err(LinkError::Impostor("it sent no welcome"));
        };
        let proof = signing::welcome(identity.agent, &agent_nonce, &server_nonce, server_time, counter);
        if !identity.server_key.signed(&proof, &signature) {
            return Err(LinkError::Impostor("its signature is wrong"));
        }
        state.write(COUNTER, &counter)?;
        link.heartbeat = Duration::from_secs(heartbeat_seconds.clamp(1, LONGEST_HEARTBEAT).into());
        Ok((link, ServerClock::new(server_time, asked)))
    }

    /// Talks until the link is over (`Err`), or a restart was asked for and answered (`Ok`).
    pub(crate) async fn talk(mut self, shared: &Shared) -> Result<(), LinkError> {
        let mut heartbeat = interval(self.heartbeat);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let silence = self.heartbeat * 2 + Duration::from_secs(10);
        let mut heard = Instant::now();
        let mut sent = HashSet::new();
        self.send_outcomes(shared, &mut sent).await?;
        self.lease(shared).await?;
        let waiting = shared.commands().waiting();
        for command in waiting {
            self.say(&AgentMessage::Ack { command }).await?;
        }
        loop {
            tokio::select! {
                message = self.socket.next() => {
                    heard = Instant::now();
                    match self.react(message, shared, &mut sent).await? {
                        Confirmed::GoOn => {}
                        Confirmed::Restart => return Ok(()),
                    }
                }
                () = shared.finished.notified() => self.send_outcomes(shared, &mut sent).await?,
                _ = heartbeat.tick() => {
                    if heard.elapsed() > silence {
                        return Err(LinkError::Broken("the server has gone silent".to_owned()));
                    }
                    self.say(&AgentMessage::Heartbeat).await?;
                }
            }
        }
    }

    async fn connect(identity: &Identity) -> Result<Self, LinkError> {
        let server = &identity.server;
        let address = server.at("agent/v1/link").replacen("http", "ws", 1);
        let mut request = address
            .into_client_request()
            .map_err(|error| server.unreachable(error))?;
        let name =
            HeaderValue::from_str(&format!("muster-agent/{VERSION}")).map_err(|error| server.unreachable(error))?;
        request.headers_mut().insert(USER_AGENT, name);
        let config = WebSocketConfig::default()
            .read_buffer_size(16 * 1024)
            .write_buffer_size(0)
            .max_message_size(Some(MAX_MESSAGE_BYTES))
            .max_frame_size(Some(MAX_MESSAGE_BYTES));
        let stream = server.connect().await?;
        let upgrade = timeout(STEP, client_async_with_config(request, stream, Some(config))).await;
        let upgraded = upgrade.map_err(|_| server.unreachable("no answer within 20 seconds"))?;
        let (socket, _) = upgraded.map_err(|error| server.unreachable(refusal(&error)))?;
        Ok(Self {
            socket,
            heartbeat: STEP,
        })
    }

    /// A message of the handshake.
    async fn hear(&mut self) -> Result<ServerMessage, LinkError> {
        loop {
            let message = timeout(STEP, self.socket.next()).await;
            let message = message.map_err(|_| LinkError::Broken("the server does not answer".to_owned()))?;
            match text(message)?.as_deref().map(serde_json::from_str) {
                Some(Ok(ServerMessage::Refused(refusal))) => return Err(LinkError::Refused(refusal)),
                Some(Ok(message)) => return Ok(message),
                Some(Err(error)) => return Err(LinkError::Broken(format!("the server's message is unknown: {error}"))),
                None => {}
            }
        }
    }

    async fn say(&mut self, message: &AgentMessage) -> Result<(), LinkError> {
        let text = serde_json::to_string(message).map_err(|error| LinkError::Broken(error.to_string()))?;
        match timeout(STEP, self.socket.send(Message::text(text))).await {
            Ok(sent) => sent.map_err(|error| LinkError::Broken(error.to_string())),
            Err(_) => Err(LinkError::Broken("the server takes no more messages".to_owned())),
        }
    }

    async fn react(
        &mut self,
        message: Option<Result<Message, SocketError>>,
        shared: &Shared,
        sent: &mut HashSet<Uuid>,
    ) -> Result<Confirmed, LinkError> {
        let Some(text) = text(message)? else {
            return Ok(Confirmed::GoOn);
        };
        let Ok(message) = serde_json::from_str(&text) else {
            tracing::warn!("the server sent a message that this agent does not know");
            return Ok(Confirmed::GoOn);
        };
        match message {
            ServerMessage::Hint => self.lease(shared).await?,
            ServerMessage::Commands { commands } => {
                for command in &commands {
                    let reaction = shared.commands().receive(command);
                    self.tell(reaction).await?;
                }
            }
            ServerMessage::Acked { command, proceed } => {
                let command = shared.commands().acknowledged(command, proceed)?;
                shared.enqueue(command);
            }
            ServerMessage::Answered { command } => {
                sent.remove(&command);
                let confirmed = shared.commands().confirmed(command)?;
                if confirmed == Confirmed::GoOn {
                    self.lease(shared).await?;
                }
                return Ok(confirmed);
            }
            ServerMessage::Refused(refusal) => return Err(LinkError::Refused(refusal)),
            ServerMessage::Heartbeat { .. } | ServerMessage::Challenge { .. } | ServerMessage::Welcome { .. } => {}
        }
        Ok(Confirmed::GoOn)
    }

    async fn tell(&mut self, reaction: Reaction) -> Result<(), LinkError> {
        match reaction {
            Reaction::Acknowledge(command) => self.say(&AgentMessage::Ack { command }).await,
            Reaction::Refuse(command, failure) => {
                self.say(&AgentMessage::Answer {
                    command,
                    outcome: Outcome::Failed(failure),
                })
                .await
            }
            Reaction::Nothing => Ok(()),
        }
    }

    async fn lease(&mut self, shared: &Shared) -> Result<(), LinkError> {
        let limit = shared.commands().room();
        if limit == 0 {
            Ok(())
        } else {
            self.say(&AgentMessage::Lease { limit }).await
        }
    }

    /// Sends every outcome that was not sent over this link yet.
    async fn send_outcomes(&mut self, shared: &Shared, sent: &mut HashSet<Uuid>) -> Result<(), LinkError> {
        let finished = shared.commands().finished();
        for command in finished {
            if sent.insert(command) {
                let outcome = shared.commands().outcome(command)?;
                self.say(&AgentMessage::Answer { command, outcome }).await?;
            }
        }
        Ok(())
    }
}

impl LinkError {
    /// How the agent's status shows it.
    pub(crate) fn phase(&self) -> Phase {
        if matches!(self, Self::Refused(_)) {
            Phase::Refused
        } else {
            status::Phase::Offline
        }
    }
}

/// The text of a message; `None` for one that has none.
fn text(message: Option<Result<Message, SocketError>>) -> Result<Option<String>, LinkError> {
    match message {
        Some(Ok(Message::Text(text))) => Ok(Some(text.as_str().to_owned())),
        Some(Ok(Message::Close(_))) | None => Err(LinkError::Broken("the server closed it".to_owned())),
        Some(Ok(_)) => Ok(None),
        Some(Err(error)) => Err(LinkError::Broken(error.to_string())),
    }
}

fn refusal(error: &SocketError) -> String {
    match error {
        SocketError::Http(answer) => format!("the server answers {} instead of opening a link", answer.status()),
        error => error.to_string(),
    }
}
