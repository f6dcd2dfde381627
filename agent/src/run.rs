//! The running agent: keeps a link, and does one command after the other.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use muster_protocol::{Command, Outcome};
use thiserror::Error;
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::backoff::Backoff;
use crate::commands::Commands;
use crate::host::Host;
use crate::identity::{Identity, random};
use crate::journal::Journal;
use crate::link::{Link, LinkError};
use crate::state::{StateDir, StateError};
use crate::status::{Phase, RUNNING, Status};
use crate::verbs;

/// A link that held this long was a good one.
const GOOD: Duration = Duration::from_secs(60);
/// Between tries when the server said that trying is useless until a person has acted.
const USELESS: Duration = Duration::from_secs(300);

/// How a running agent behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The longest wait after the first failure to connect.
    pub first_wait: Duration,
    /// The longest wait ever.
    pub longest_wait: Duration,
    /// For a scan, all its waiting included.
    pub scan_deadline: Duration,
}

/// Why a running agent ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was asked to.
    Stopped,
    /// The server wants it to be started anew.
    Restart,
}

/// Why an agent cannot run.
#[derive(Debug, Error)]
pub enum RunError {
    /// There is no identity yet.
    #[error("this agent is not enrolled: paste the install line from Muster")]
    NotEnrolled,
    /// Another process does the work.
    #[error("the agent is already running")]
    AlreadyRunning,
    /// Its folder cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
}

/// What the link and the worker share.
pub(crate) struct Shared {
    commands: Mutex<Commands>,
    queue: mpsc::UnboundedSender<Command>,
    /// Told when there is an outcome to send.
    pub(crate) finished: Notify,
}

/// Runs an agent until `stop` is ready. Whatever a command started is killed then.
pub async fn run(
    state: &StateDir,
    host: Arc<dyn Host>,
    options: Options,
    stop: impl Future<Output = ()>,
) -> Result<Ended, RunError> {
    let _lock = state.try_lock(RUNNING)?.ok_or(RunError::AlreadyRunning)?;
    let identity = Identity::load(state)?.ok_or(RunError::NotEnrolled)?;
    let server = &identity.server;
    Status::write(state, server, Phase::Connecting, None);
    let journal = Journal::open(state.clone())?;
    // The queue holds no more than the commands that the journal has room for.
    let (queue, waiting) = mpsc::unbounded_channel();
    let commands = Mutex::new(Commands::new(identity.agent, identity.server_key.clone(), journal));
    let shared = Shared {
        commands,
        queue,
        finished: Notify::new(),
    };
    let ended = tokio::select! {
        () = keep_linked(&identity, state, &shared, options) => Ended::Restart,
        () = work(state, host.as_ref(), &shared, waiting, options.scan_deadline) => Ended::Stopped,
        () = stop => Ended::Stopped,
    };
    Status::write(state, server, Phase::Stopped, None);
    Ok(ended)
}

/// Opens one link after the other, until a restart is asked for.
async fn keep_linked(identity: &Identity, state: &StateDir, shared: &Shared, options: Options) {
    let instance = Uuid::from_bytes(random());
    let mut backoff = Backoff::new(options.first_wait, options.longest_wait);
    let mut said = String::new();
    loop {
        let begun = Instant::now();
        let Err(error) = one_link(identity, state, shared, instance).await else {
            return;
        };
        if begun.elapsed() > GOOD {
            backoff.reset();
        }
        let problem = error.to_string();
        Status::write(state, &identity.server, error.phase(), Some(problem.clone()));
        // The same trouble again and again is said once.
        if said != problem {
            tracing::warn!("{problem}; trying again");
            said = problem;
        }
        sleep(wait(&error, &mut backoff)).await;
    }
}

async fn one_link(identity: &Identity, state: &StateDir, shared: &Shared, instance: Uuid) -> Result<(), LinkError> {
    let (link, clock) = Link::open(identity, state, instance).await?;
    shared.commands().welcome(clock);
    Status::write(state, &identity.server, Phase::Online, None);
    tracing::info!("online at {}", identity.server);
    link.talk(shared).await
}

fn wait(error: &LinkError, backoff: &mut Backoff) -> Duration {
    match error {
        LinkError::Refused(refusal) => match refusal.retry_after_seconds {
            Some(seconds) => backoff.after(Duration::from_secs(seconds.into())),
            None => backoff.after(USELESS),
        },
        _ => backoff.next(),
    }
}

/// Does the commands that the server let through, one at a time: a package manager cannot do two things at once.
async fn work(
    state: &StateDir,
    host: &dyn Host,
    shared: &Shared,
    mut waiting: mpsc::UnboundedReceiver<Command>,
    scan_deadline: Duration,
) {
    while let Some(command) = waiting.recv().await {
        let too_late = shared.commands().start(&command);
        let outcome = match too_late {
            Some(failure) => Outcome::Failed(failure),
            None => verbs::perform(host, state, &command.verb, scan_deadline).await,
        };
        if let Err(error) = shared.commands().finish(command.id, outcome) {
            tracing::error!("{error}; the outcome of a command is kept in memory only");
        }
        shared.finished.notify_one();
    }
}

impl Shared {
    /// Never held while waiting for anything.
    pub(crate) fn commands(&self) -> MutexGuard<'_, Commands> {
        self.commands.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn enqueue(&self, command: Option<Command>) {
        if let Some(command) = command {
            // The receiver lives as long as this.
            let _ = self.queue.send(command);
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            first_wait: Duration::from_secs(1),
            // Shorter than the silence after which Muster calls an agent offline: when it was down for long, all its agents
            // are back before it misses one.
            longest_wait: Duration::from_secs(20),
            scan_deadline: Duration::from_secs(600),
        }
    }
}
