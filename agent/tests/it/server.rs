//! A server that does nothing by itself: each test says what it answers.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use futures::{SinkExt, StreamExt};
use muster_agent::connect::{Server, Stream, Trust};
use muster_agent::identity::ServerKey;
use muster_protocol::{
    AgentMessage, Command, EnrolRequest, Outcome, PROTOCOL_VERSION, ServerMessage, SignedCommand, Verb, signing,
};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, accept_async};
use uuid::Uuid;

use crate::guest::soon;

pub(crate) const NONCE: &str = "c2VydmVyIG5vbmNlIHNlcnZlciBub25jZSBzZXJ2ZXI=";

pub(crate) struct TestServer {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    pub(crate) key: SigningKey,
}

/// One link, from the server's side.
pub(crate) struct Peer {
    socket: WebSocketStream<Box<dyn Stream>>,
    key: SigningKey,
}

/// What an agent said when it came.
pub(crate) struct Hello {
    pub(crate) agent: Uuid,
    pub(crate) nonce: String,
    pub(crate) instance: Uuid,
    pub(crate) counter: u64,
    signature: String,
}

impl TestServer {
    pub(crate) async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        Ok(Self {
            listener,
            tls: None,
            key: SigningKey::from_bytes(&[7; 32]),
        })
    }

    pub(crate) async fn start_tls(config: rustls::ServerConfig) -> Result<Self> {
        Ok(Self {
            tls: Some(TlsAcceptor::from(Arc::new(config))),
            ..Self::start().await?
        })
    }

    pub(crate) fn url(&self) -> Result<String> {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        Ok(format!("{scheme}://localhost:{}", self.listener.local_addr()?.port()))
    }

    pub(crate) fn server(&self, trust: Trust) -> Result<Server> {
        Server::parse(&self.url()?, trust).map_err(anyhow::Error::msg)
    }

    pub(crate) fn public_key(&self) -> String {
        STANDARD.encode(self.key.verifying_key().as_bytes())
    }

    pub(crate) fn server_key(&self) -> Result<ServerKey> {
        ServerKey::parse(&self.public_key()).map_err(anyhow::Error::msg)
    }

    /// The next connection; a TLS handshake that the agent breaks off is an error.
    pub(crate) async fn accept(&self) -> Result<Box<dyn Stream>> {
        let (stream, _): (TcpStream, _) = soon(self.listener.accept()).await??;
        Ok(match &self.tls {
            Some(tls) => Box::new(soon(tls.accept(stream)).await??),
            None => Box::new(stream),
        })
    }

    /// The next link, before anything was said on it.
    pub(crate) async fn link(&self) -> Result<Peer> {
        let stream = self.accept().await?;
        Ok(Peer {
            socket: soon(accept_async(stream)).await??,
            key: self.key.clone(),
        })
    }

    /// The next link, with both ends proven.
    pub(crate) async fn welcomed(&self, agent: &VerifyingKey, counter: u64) -> Result<Peer> {
        let mut peer = self.link().await?;
        let hello = peer.challenge().await?;
        hello.verify(agent)?;
        peer.welcome(&hello, counter).await?;
        Ok(peer)
    }

    /// Reads one enrolment and answers it.
    pub(crate) async fn enrolment(&self, status: &str, answer: Value) -> Result<EnrolRequest> {
        let mut stream = self.accept().await?;
        let request = soon(read_request(&mut stream)).await??;
        let body = answer.to_string();
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(format!("{head}{body}").as_bytes()).await?;
        stream.flush().await?;
        Ok(request)
    }

    /// Reads one enrolment and hangs up.
    pub(crate) async fn enrolment_without_answer(&self) -> Result<EnrolRequest> {
        let mut stream = self.accept().await?;
        soon(read_request(&mut stream)).await?
    }

    pub(crate) fn granted(&self, agent: Uuid) -> Value {
        json!({ "agent": agent, "server_key": self.public_key() })
    }
}

impl Peer {
    pub(crate) async fn say(&mut self, message: &ServerMessage) -> Result<()> {
        Ok(self.socket.send(Message::text(serde_json::to_string(message)?)).await?)
    }

    /// The next message that is no heartbeat.
    pub(crate) async fn hear(&mut self) -> Result<AgentMessage> {
        loop {
            let message = soon(self.socket.next()).await?.context("the agent hung up")??;
            if let Message::Text(text) = message {
                match serde_json::from_str(text.as_str())? {
                    AgentMessage::Heartbeat => {}
                    message => return Ok(message),
                }
            }
        }
    }

    /// Waits for a heartbeat.
    pub(crate) async fn heartbeat(&mut self) -> Result<()> {
        loop {
            let message = soon(self.socket.next()).await?.context("the agent hung up")??;
            if message.to_text()? == serde_json::to_string(&AgentMessage::Heartbeat)? {
                return Ok(());
            }
        }
    }

    /// Waits until the agent has hung up, and wants it to have said nothing.
    pub(crate) async fn hung_up(mut self) -> Result<()> {
        match soon(self.socket.next()).await? {
            None | Some(Err(_) | Ok(Message::Close(_))) => Ok(()),
            Some(Ok(message)) => bail!("the agent said {message}"),
        }
    }

    pub(crate) async fn challenge(&mut self) -> Result<Hello> {
        self.say(&ServerMessage::Challenge {
            nonce: NONCE.to_owned(),
            protocol: PROTOCOL_VERSION,
        })
        .await?;
        let AgentMessage::Hello {
            agent,
            nonce,
            instance,
            counter,
            signature,
            ..
        } = self.hear().await?
        else {
            bail!("no hello")
        };
        Ok(Hello {
            agent,
            nonce,
            instance,
            counter,
            signature,
        })
    }

    pub(crate) async fn welcome(&mut self, hello: &Hello, counter: u64) -> Result<()> {
        let key = self.key.clone();
        self.welcome_signed_by(&key, hello, counter).await
    }

    pub(crate) async fn welcome_signed_by(&mut self, key: &SigningKey, hello: &Hello, counter: u64) -> Result<()> {
        let server_time = now();
        let proof = signing::welcome(hello.agent, &hello.nonce, NONCE, server_time, counter);
        let signature = STANDARD.encode(key.sign(&proof).to_bytes());
        self.say(&ServerMessage::Welcome {
            signature,
            server_time,
            counter,
            heartbeat_seconds: 1,
        })
        .await
    }

    pub(crate) async fn leased(&mut self) -> Result<()> {
        let message = self.hear().await?;
        ensure!(
            matches!(message, AgentMessage::Lease { limit: 1.. }),
            "expected a lease, heard {message:?}"
        );
        Ok(())
    }

    pub(crate) async fn give(&mut self, commands: Vec<SignedCommand>) -> Result<()> {
        self.say(&ServerMessage::Commands { commands }).await
    }

    pub(crate) async fn acked(&mut self, command: Uuid) -> Result<()> {
        let message = self.hear().await?;
        ensure!(
            message == AgentMessage::Ack { command },
            "expected an ack, heard {message:?}"
        );
        Ok(())
    }

    pub(crate) async fn proceed(&mut self, command: Uuid) -> Result<()> {
        self.say(&ServerMessage::Acked { command, proceed: true }).await
    }

    pub(crate) async fn answer(&mut self, wanted: Uuid) -> Result<Outcome> {
        match self.hear().await? {
            AgentMessage::Answer { command, outcome } if command == wanted => Ok(outcome),
            message => bail!("expected an answer, heard {message:?}"),
        }
    }

    /// The failure code of the answer.
    pub(crate) async fn failure(&mut self, wanted: Uuid) -> Result<String> {
        match self.answer(wanted).await? {
            Outcome::Failed(failure) => Ok(failure.code),
            outcome => bail!("expected a failure, got {outcome:?}"),
        }
    }

    /// Stores the outcome; the agent then asks for more.
    pub(crate) async fn confirm(&mut self, command: Uuid) -> Result<()> {
        self.say(&ServerMessage::Answered { command }).await?;
        self.leased().await
    }

    pub(crate) fn sign(&self, command: &Command) -> Result<SignedCommand> {
        Ok(self.sign_text(&serde_json::to_string(command)?))
    }

    pub(crate) fn sign_text(&self, payload: &str) -> SignedCommand {
        let signature = STANDARD.encode(self.key.sign(&signing::command(payload)).to_bytes());
        SignedCommand {
            payload: payload.to_owned(),
            signature,
        }
    }
}

impl Hello {
    pub(crate) fn verify(&self, key: &VerifyingKey) -> Result<()> {
        let text = signing::hello(self.agent, NONCE, &self.nonce, self.instance, self.counter);
        let bytes: [u8; 64] = STANDARD.decode(&self.signature)?.try_into().ok().context("64 bytes")?;
        Ok(key.verify_strict(&text, &Signature::from_bytes(&bytes))?)
    }
}

/// A command that may start within the next minute.
pub(crate) fn command(agent: Uuid, verb: Verb) -> Command {
    let issued_at = now();
    Command {
        id: Uuid::new_v4(),
        agent,
        generation: 1,
        issued_at,
        expires_at: issued_at + 60_000_000,
        verb,
    }
}

pub(crate) fn public_key(request: &EnrolRequest) -> Result<VerifyingKey> {
    let bytes: [u8; 32] = STANDARD
        .decode(&request.public_key)?
        .try_into()
        .ok()
        .context("32 bytes")?;
    Ok(VerifyingKey::from_bytes(&bytes)?)
}

fn now() -> i64 {
    let passed = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |passed| passed.as_micros());
    i64::try_from(passed).unwrap_or(i64::MAX)
}

async fn read_request(stream: &mut Box<dyn Stream>) -> Result<EnrolRequest> {
    let mut request = Vec::new();
    loop {
        let mut piece = [0; 4096];
        let length = stream.read(&mut piece).await?;
        ensure!(length > 0, "the request is cut off");
        request.extend_from_slice(&piece[..length]);
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            ensure!(head.starts_with("POST /agent/v1/enrol HTTP/1.1"), "{head}");
            if let Ok(request) = serde_json::from_str(body) {
                return Ok(request);
            }
        }
    }
}
