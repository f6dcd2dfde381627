//! Commands, files and scripts over an open console.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::driver::{Driver, Order};
use super::error::ConsoleError;
use super::job::Job;
use super::lines;
use super::nonce::Nonce;
use super::opening::Opened;
use super::recognise::last_words;
use super::seat::Seat;
use super::serving::{Command, Printed, Serving};
use super::socket::{Ear, Mouth};
use crate::{Error, Output};

/// How long a step of our own may take that does no work to speak of.
const STEP: Duration = Duration::from_secs(30);

/// A slow terminal takes so many bytes per second; PVE's takes about 700 kB.
const SLOWEST: u64 = 50_000;

/// Lines of 30 000 bytes were seen to arrive whole on PVE 9.1.9.
const LONGEST_LINE: usize = 16 * 1024;

type Result<T> = std::result::Result<T, ConsoleError>;

/// An open console with a shell of root behind it. Commands run one after the other.
///
/// A background task keeps it alive while it rests. Dropping it closes the connection; what is left of it in the
/// container ends by itself within half a minute, and until then nobody else gets in. [`Session::leave`] is quicker.
#[derive(Debug)]
pub struct Session {
    nonce: Nonce,
    own: bool,
    jobs: u32,
    largest_output: usize,
    orders: mpsc::Sender<Order>,
    /// Ends with the session.
    _driver: JoinSet<()>,
    _seat: Seat,
}

impl Session {
    pub(super) fn begin(
        nonce: Nonce,
        opened: Opened,
        (mouth, ear): (Mouth, Ear),
        begin: Instant,
        largest_output: usize,
        seat: Seat,
    ) -> Self {
        let own = opened.own;
        let (orders, received) = mpsc::channel(1);
        let serving = Serving::new(nonce, opened, begin.elapsed());
        let mut driver = JoinSet::new();
        driver.spawn(Driver::new(serving, mouth, ear, received, begin).drive());
        Self {
            nonce,
            own,
            jobs: 0,
            largest_output,
            orders,
            _driver: driver,
            _seat: seat,
        }
    }

    /// Whether the shell at the console was started for us. One that somebody has left there is given back as it was.
    pub fn is_own(&self) -> bool {
        self.own
    }

    /// Runs one line in a shell (`sh -c`) and waits for its end, for at most `within`. It has nothing to read, and
    /// what it prints comes through a terminal: good for text, without carriage returns. Use [`Session::run_script`]
    /// for anything longer, and where every byte counts.
    ///
    /// With `TimedOut` the command runs on, and the session is lost to it.
    pub async fn run(&mut self, command: &str, within: Duration) -> Result<Printed> {
        if command.len() > LONGEST_LINE || command.contains(|c: char| c.is_control()) {
            let reason = "it has to be one line of at most 16 KiB, without control characters; run a script";
            return Err(Error::invalid("command", reason).into());
        }
        let limit = self.largest_output;
        self.ask(lines::foreign_command(command), None, within, limit).await
    }

    /// Runs a script (of `sh`, whatever its first line says) and waits for its end, for at most `within`; then its
    /// output is read back byte for byte. It has nothing to read, `HOME` is `/root`.
    ///
    /// With `TimedOut` the script is stopped, with everything that it has started in its process group. After a cut
    /// connection (`Ended`) or beside a person (`HumanTyping`) it runs on; see [`Session::start`] for finding it again.
    pub async fn run_script(&mut self, script: &[u8], within: Duration) -> Result<Output> {
        let deadline = Instant::now() + within;
        let job = self.start(script).await?;
        match self
            .wait(&job, deadline.saturating_duration_since(Instant::now()))
            .await
        {
            Ok(exit) => self.collect(&job, exit).await,
            Err(ConsoleError::TimedOut { .. }) => {
                self.stop(&job).await?;
                Err(ConsoleError::TimedOut { after: within })
            }
            Err(error) => Err(error),
        }
    }

    /// Starts a script that runs on when the connection is cut. A later session can [wait](Session::wait) for it.
    pub async fn start(&mut self, script: &[u8]) -> Result<Job> {
        self.jobs += 1;
        let job = Job::new(self.nonce, self.jobs);
        self.step("making a directory", job.prepare()).await?;
        self.upload(&job.file("script"), script).await?;
        self.step("starting the script", job.start()).await?;
        Ok(job)
    }

    /// Waits for the end of a started script, for at most `within`, and answers its exit code. After `TimedOut` it
    /// runs on and can be waited for again.
    pub async fn wait(&mut self, job: &Job, within: Duration) -> Result<i64> {
        let deadline = Instant::now() + within;
        loop {
            let printed = self.ask(job.look(), None, STEP, self.largest_output).await?;
            let said = String::from_utf8_lossy(&printed.text);
            match said.trim() {
                "" if Instant::now() < deadline => {}
                "" => return Err(ConsoleError::TimedOut { after: within }),
                "gone" => return Err(ConsoleError::Killed),
                exit => return exit.parse().map_err(|_| failed("waiting for the script", &printed)),
            }
        }
    }

    /// Reads what a script that has ended with this exit code has written, and removes its files.
    pub async fn collect(&mut self, job: &Job, exit: i64) -> Result<Output> {
        let stdout = self.download(&job.file("out")).await;
        let stderr = self.download(&job.file("err")).await;
        self.step("removing the files of the script", job.remove()).await?;
        Ok(Output {
            exit,
            stdout: stdout?,
            stderr: stderr?,
        })
    }

    /// Stops a started script with everything in its process group, and removes its files.
    pub async fn stop(&mut self, job: &Job) -> Result<()> {
        self.step("stopping the script", job.stop()).await.map(drop)
    }

    /// Writes a file, which only root can read when it is new; compares its SHA-256 afterwards.
    pub async fn upload(&mut self, path: &str, bytes: &[u8]) -> Result<()> {
        check_path(path)?;
        let payload = STANDARD.encode(bytes).into_bytes();
        let within = STEP + Duration::from_secs(payload.len() as u64 / SLOWEST);
        let line = lines::receive(self.nonce, path, payload.len());
        let printed = self.ask(line, Some(payload), within, self.largest_output).await?;
        let printed = succeeded("writing a file", printed)?;
        if hash_in(&printed.text) == Some(Sha256::digest(bytes).into()) {
            Ok(())
        } else {
            Err(ConsoleError::Damaged { path: path.to_owned() })
        }
    }

    /// Reads a file, at most as large as the client's largest answer; compares its SHA-256.
    pub async fn download(&mut self, path: &str) -> Result<Vec<u8>> {
        check_path(path)?;
        let limit = self.largest_output;
        let line = lines::send_back(path, limit);
        let within = STEP + Duration::from_secs(limit as u64 / SLOWEST);
        // Base64 takes a third more, and the ends of its lines some more.
        let printed = self.ask(line, None, within, limit + limit / 2 + 4096).await?;
        let text = String::from_utf8_lossy(&printed.text).into_owned();
        let (size, rest) = text.split_once('\n').unwrap_or((&text, ""));
        if size.trim().parse::<usize>().is_ok_and(|size| size > limit) {
            return Err(ConsoleError::TooLarge { limit });
        }
        succeeded("reading a file", printed)?;
        let damaged = || ConsoleError::Damaged { path: path.to_owned() };
        let (hash, encoded) = rest.split_once('\n').unwrap_or((rest, ""));
        let encoded: String = encoded.split_ascii_whitespace().collect();
        let bytes = STANDARD.decode(encoded).map_err(|_| damaged())?;
        if hash_in(hash.as_bytes()) == Some(Sha256::digest(&bytes).into()) {
            Ok(bytes)
        } else {
            Err(damaged())
        }
    }

    /// Leaves the console: ends the shell that was started for us, gives back one that was there.
    pub async fn leave(self) {
        let (left, has_left) = oneshot::channel();
        if self.orders.send(Order::Leave(left)).await.is_ok() {
            // A driver that ends without a word has nobody to take leave of.
            let _ = has_left.await;
        }
    }

    /// Runs a line of our own that has to succeed.
    async fn step(&mut self, doing: &'static str, line: String) -> Result<Printed> {
        let printed = self.ask(line, None, STEP, self.largest_output).await?;
        succeeded(doing, printed)
    }

    async fn ask(&mut self, line: String, payload: Option<Vec<u8>>, within: Duration, limit: usize) -> Result<Printed> {
        let (reply, answer) = oneshot::channel();
        let command = Command {
            line,
            payload,
            within,
            limit,
        };
        let gone = || ConsoleError::Ended {
            said: "the session is over".to_owned(),
        };
        self.orders.send(Order::Run(command, reply)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

fn succeeded(doing: &'static str, printed: Printed) -> Result<Printed> {
    if printed.exit == 0 {
        Ok(printed)
    } else {
        Err(failed(doing, &printed))
    }
}

fn failed(doing: &'static str, printed: &Printed) -> ConsoleError {
    ConsoleError::Failed {
        doing,
        exit: printed.exit,
        said: last_words(&printed.text),
    }
}

fn check_path(path: &str) -> Result<()> {
    if path.starts_with('/') && path.len() <= 4096 && !path.contains(|c: char| c.is_control()) {
        return Ok(());
    }
    Err(Error::invalid(
        "path",
        format!("{path:?} is not a full path without control characters"),
    )
    .into())
}

/// The hash in the answer of `sha256sum`: its last line of 64 digits.
fn hash_in(text: &[u8]) -> Option<[u8; 32]> {
    let text = String::from_utf8_lossy(text);
    let digits = text.split_ascii_whitespace().rfind(|word| word.len() == 64)?;
    let mut hash = [0; 32];
    for (byte, pair) in hash.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(hash)
}
