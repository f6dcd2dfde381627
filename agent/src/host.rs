//! Running scripts on this host.

use std::process::Stdio;
use std::time::Duration;

use futures::future::BoxFuture;
use rustix::process::{Pid, Signal, kill_process_group};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

/// Variables of the agent's own environment that scripts may see.
const KEPT_VARIABLES: [&str; 7] = [
    "PATH",
    "HOME",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "APT_CONFIG",
    "DPKG_ADMINDIR",
];
const USUAL_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// How much of standard error is kept.
const TAIL: usize = 4096;
/// Between the polite and the final signal.
const GRACE: Duration = Duration::from_secs(2);

/// Where scripts run. Tests have hosts of their own.
pub trait Host: Send + Sync {
    /// Runs a POSIX sh script to its end, or to its limits.
    fn run<'a>(&'a self, script: &'a str, limits: Limits) -> BoxFuture<'a, Result<Output, HostError>>;
}

/// What a script may use up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Time. At its end the script and everything it started is killed.
    pub deadline: Duration,
    /// Bytes of standard output.
    pub output: usize,
}

/// What a script printed. Its exit code plays no part: an answer proves its own completeness.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Output {
    /// Standard output.
    pub stdout: Vec<u8>,
    /// The last 4 KiB of standard error.
    pub stderr: String,
}

/// Why a script has no output.
#[derive(Debug, Error)]
pub enum HostError {
    /// It did not end in time.
    #[error("it did not end within {} seconds and was stopped", .0.as_secs())]
    TimedOut(Duration),
    /// It printed more than it may.
    #[error("it printed more than {0} bytes and was stopped")]
    TooMuch(usize),
    /// It could not be run.
    #[error("the shell cannot be run: {0}")]
    Io(#[from] std::io::Error),
}

/// The real thing: a child process in a process group of its own.
#[derive(Debug, Default)]
pub struct Shell;

impl Host for Shell {
    fn run<'a>(&'a self, script: &'a str, limits: Limits) -> BoxFuture<'a, Result<Output, HostError>> {
        Box::pin(run(script, limits))
    }
}

async fn run(script: &str, limits: Limits) -> Result<Output, HostError> {
    let mut child = command(script).spawn()?;
    let group = Group::of(&child);
    match timeout(limits.deadline, collect(&mut child, limits.output)).await {
        Ok(output) => output,
        Err(_) => {
            group.signal(Signal::TERM);
            // Whether it heeds the signal or not, dropping the group ends what is left.
            let _ = timeout(GRACE, child.wait()).await;
            Err(HostError::TimedOut(limits.deadline))
        }
    }
}

fn command(script: &str) -> Command {
    let mut command = Command::new("/bin/sh");
    command
        .arg("-c")
        .arg(script)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
        .process_group(0)
        .env_clear()
        .env("PATH", USUAL_PATH)
        .env("LC_ALL", "C");
    for name in KEPT_VARIABLES {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
}

async fn collect(child: &mut Child, most: usize) -> Result<Output, HostError> {
    let (Some(mut stdout), Some(mut stderr)) = (child.stdout.take(), child.stderr.take()) else {
        return Ok(Output::default());
    };
    let (mut said, mut complaints) = (Vec::new(), Vec::new());
    let reading = async {
        tokio::try_join!(
            read_at_most(&mut stdout, &mut said, most),
            read_tail(&mut stderr, &mut complaints)
        )
    };
    let ended = async {
        let status = child.wait().await;
        // A daemon that the script started may hold the pipes open for ever.
        sleep(GRACE).await;
        status
    };
    tokio::select! {
        read = reading => { read?; }
        status = ended => { status?; }
    }
    Ok(Output {
        stdout: said,
        stderr: String::from_utf8_lossy(&complaints).into_owned(),
    })
}

async fn read_at_most(stream: &mut (impl AsyncRead + Unpin), said: &mut Vec<u8>, most: usize) -> Result<(), HostError> {
    let one_more = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    stream.take(one_more).read_to_end(said).await?;
    if said.len() > most {
        Err(HostError::TooMuch(most))
    } else {
        Ok(())
    }
}

async fn read_tail(stream: &mut (impl AsyncRead + Unpin), tail: &mut Vec<u8>) -> Result<(), HostError> {
    let mut piece = [0; 1024];
    loop {
        let length = stream.read(&mut piece).await?;
        if length == 0 {
            return Ok(());
        }
        tail.extend_from_slice(&piece[..length]);
        tail.drain(..tail.len().saturating_sub(TAIL));
    }
}

/// Everything that a script started. Dropping it kills all of it, so that an agent that stops leaves nothing behind.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        Self(child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?)))
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.0 {
            // It fails when the group has ended already, which is what is wanted.
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}
