//! The way to a session: looking, asking for a terminal, connecting, greeting.

use std::time::Duration;

use serde::Deserialize;
use tokio::time::Instant;

use super::error::ConsoleError;
use super::nonce::Nonce;
use super::opening::{Opened, Opening, Step};
use super::seat::Seat;
use super::session::Session;
use super::socket::{Ear, Mouth, Socket};
use crate::exchange::Credential;
use crate::{Client, ConfigView, ConsoleMode, Error, TaskFilter, TaskSource, Upid, catalogue, perl};

/// A session of ours ends a second after it was left; whoever comes meanwhile sees its end and connects again.
const ATTEMPTS: u32 = 3;

/// How long a console of our own that is just being closed is waited for, and how often it is looked for.
const OWN_FAREWELL: Duration = Duration::from_secs(3);
const OWN_FAREWELL_LOOK: Duration = Duration::from_millis(200);

/// How long the task of a console that did not let us in may need to end.
const TASK_END: Duration = Duration::from_secs(15);

/// The option of the terminal program that makes it ask the node about tokens (pve-container 6.1.3 and 5.3.4).
const ASKS_ABOUT_TOKENS: &str = "--vncticket-endpoint";

/// A terminal that waits for us at one endpoint.
#[derive(Deserialize)]
struct Terminal {
    user: String,
    ticket: String,
    #[serde(deserialize_with = "perl::sure")]
    port: u16,
    upid: Upid,
}

impl Client {
    /// Opens a container's console as a way to run commands in it, as root.
    ///
    /// Looks first, and types nothing where a person is, a login waits or PVE works on the container. Needs `VM.Audit`
    /// and `VM.Console` on `/vms/{vmid}`; with `Sys.Audit` on the node it also sees consoles that others have open. The
    /// console's mode has to be [`ConsoleMode::Shell`]. API tokens are let in by packages of April 2026 and later.
    ///
    /// Everybody who opens the container's console shares one terminal and sees what is run there, so keep secrets
    /// in files. One session per container is given at a time. [Leave](Session::leave) it when done.
    pub async fn lxc_console(&self, node: &str, vmid: u32) -> Result<Session, ConsoleError> {
        let seat = self.consoles().take(vmid).ok_or_else(|| ConsoleError::Busy {
            by: self.identity().map(str::to_owned),
        })?;
        self.look_at_console(node, vmid).await?;
        let mut attempt = 1;
        loop {
            match self.try_console(node, vmid, &seat).await {
                Err(ConsoleError::Ended { said }) if is_stopped(&said) => return Err(ConsoleError::NotRunning),
                Err(ConsoleError::Ended { .. }) if attempt < ATTEMPTS => attempt += 1,
                outcome => return outcome,
            }
        }
    }

    /// Refuses what can be known without typing.
    async fn look_at_console(&self, node: &str, vmid: u32) -> Result<(), ConsoleError> {
        let status = self.lxc_status(node, vmid).await?;
        if !status.is_up() {
            return Err(ConsoleError::NotRunning);
        }
        let config = self.lxc_config(node, vmid, ConfigView::Current).await?;
        if let Some(lock) = status.lock.or_else(|| config.lock.clone()) {
            return Err(ConsoleError::Locked { lock });
        }
        if config.console_mode() != ConsoleMode::Shell.to_string() {
            return Err(ConsoleError::LoginRequired);
        }
        let deadline = Instant::now() + OWN_FAREWELL;
        while let Some(by) = self.somebody_at_console(node, vmid).await? {
            if Some(by.as_str()) != self.identity() || Instant::now() > deadline {
                return Err(ConsoleError::Busy { by: Some(by) });
            }
            tokio::time::sleep(OWN_FAREWELL_LOOK).await;
        }
        Ok(())
    }

    async fn somebody_at_console(&self, node: &str, vmid: u32) -> Result<Option<String>, Error> {
        let open = TaskFilter {
            vmid: Some(vmid),
            kind: Some("vncproxy".to_owned()),
            source: TaskSource::Running,
            ..TaskFilter::default()
        };
        let consoles = self.tasks(node, &open).await?;
        Ok(consoles.first().map(|console| console.upid.user().to_owned()))
    }

    async fn try_console(&self, node: &str, vmid: u32, seat: &Seat) -> Result<Session, ConsoleError> {
        let vmid = vmid.to_string();
        let (endpoint, terminal): (_, Terminal) = self.fetch_from(catalogue::LXC_TERMPROXY.at(&[node, &vmid])?).await?;
        let upgrade = catalogue::LXC_VNCWEBSOCKET
            .at(&[node, &vmid])?
            .with("port", terminal.port)
            .with("vncticket", &terminal.ticket);
        let socket = Socket::connect(self.exchange(), &endpoint, &upgrade).await?;
        let begin = Instant::now();
        let (mut mouth, mut ear) = socket.split();
        let nonce = Nonce::random()?;
        let greeting = Opening::new(nonce, &terminal.user, &terminal.ticket);
        match converse(greeting, &mut mouth, &mut ear, begin).await {
            Ok(opened) => Ok(Session::begin(
                nonce,
                opened,
                (mouth, ear),
                begin,
                self.exchange().max_answer(),
                seat.clone(),
            )),
            Err(ConsoleError::NotAccepted { said }) => Err(self.why_not_accepted(&terminal.upid, said).await),
            Err(error) => Err(error),
        }
    }

    /// The task of a console that did not let us in ends with the command line of its terminal program.
    async fn why_not_accepted(&self, task: &Upid, said: String) -> ConsoleError {
        let said = match self.wait_task(task, TASK_END).await {
            Err(Error::TaskFailed { exit, .. }) => exit,
            _ => said,
        };
        let calls_with_token = matches!(self.exchange().credential(), Some(Credential::Token(_)));
        if calls_with_token && said.contains("termproxy") && !said.contains(ASKS_ABOUT_TOKENS) {
            ConsoleError::TokenNotSupported { said }
        } else {
            ConsoleError::NotAccepted { said }
        }
    }
}

/// Holds the first half of the conversation.
async fn converse(
    (mut opening, hello): (Opening, Vec<u8>),
    mouth: &mut Mouth,
    ear: &mut Ear,
    begin: Instant,
) -> Result<Opened, ConsoleError> {
    let mut step = Step::Send(hello);
    loop {
        match step {
            Step::Wait => {}
            // A connection that can no longer be written to is heard to have ended.
            Step::Send(message) => {
                mouth.say(&message).await;
            }
            Step::Opened(opened) => return Ok(opened),
            Step::Failed(error) => return Err(error),
        }
        step = tokio::select! {
            heard = ear.hear() => match heard {
                Some(bytes) => opening.heard(&bytes, begin.elapsed()),
                None => opening.ended(),
            },
            () = tokio::time::sleep_until(begin + opening.wake()) => opening.tick(begin.elapsed()),
        };
    }
}

/// What lxc says of a container that was stopped between our look and its answer.
fn is_stopped(said: &str) -> bool {
    said.contains("Failed to get init pid") || said.contains("is not running")
}
