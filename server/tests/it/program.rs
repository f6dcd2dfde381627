//! The real program as a child process.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long a program may take to do what is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A folder with a key and a database, and the program to run on them.
pub(crate) struct Place {
    folder: TempDir,
}

/// `muster serve`, ended with this value.
pub(crate) struct Serving {
    child: Child,
    log: Arc<Mutex<String>>,
    /// Everything printed so far; goes on being read after the end.
    pub(crate) printed: Arc<Mutex<String>>,
}

impl Place {
    /// An empty folder.
    pub(crate) fn empty() -> Place {
        Place {
            folder: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    /// A folder with a key.
    pub(crate) fn with_key() -> Place {
        let place = Place::empty();
        place.succeeds(&["key", "init"]);
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
        command
            .args(args)
            .env_clear()
            .env("MUSTER_KEY_FILE", self.path("key"))
            .env(
                "MUSTER_DATABASE",
                format!("sqlite:{}", self.path("muster.db").display()),
            )
            .env("MUSTER_LISTEN", "127.0.0.1:0")
            .current_dir(self.folder.path());
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, args: &[&str], input: &str) -> Output {
        let mut command = self.command(args);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        // A program that reads nothing may have ended already.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        child.wait_with_output().expect("the program ends")
    }

    /// Runs a command that works; what it prints.
    pub(crate) fn succeeds(&self, args: &[&str]) -> String {
        self.succeeds_with(args, "")
    }

    pub(crate) fn succeeds_with(&self, args: &[&str], input: &str) -> String {
        let output = self.run(args, input);
        assert!(output.status.success(), "{args:?}: {output:?}");
        String::from_utf8(output.stdout).expect("text").trim_end().to_owned()
    }

    /// Runs a command that is refused; what it says.
    pub(crate) fn refused(&self, args: &[&str]) -> String {
        let output = self.run(args, "");
        assert!(!output.status.success(), "{args:?}: {output:?}");
        String::from_utf8(output.stderr).expect("text").trim_end().to_owned()
    }

    /// Starts the server.
    pub(crate) fn serve(&self, env: &[(&str, &str)]) -> Serving {
        let mut command = self.command(&["serve"]);
        command
            .envs(env.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let log = collect(child.stderr.take().expect("a pipe"));
        let printed = collect(child.stdout.take().expect("a pipe"));
        Serving { child, log, printed }
    }
}

impl Serving {
    /// Everything logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().expect("no reader panics").clone()
    }

    /// Everything printed so far.
    pub(crate) fn printed(&self) -> String {
        self.printed.lock().expect("no reader panics").clone()
    }

    /// Waits until the log has this text.
    pub(crate) fn logs(&mut self, text: &str) {
        self.waits(text, |serving| serving.log().contains(text));
    }

    /// Waits until it has printed this text; everything printed.
    pub(crate) fn prints(&mut self, text: &str) -> String {
        self.waits(text, |serving| serving.printed().contains(text));
        self.printed()
    }

    /// Waits until it serves; its address.
    pub(crate) fn address(&mut self) -> String {
        self.logs("Muster is serving");
        let log = self.log();
        let line = log
            .lines()
            .find(|line| line.contains("Muster is serving"))
            .expect("was logged");
        let (_, rest) = line.split_once("address=").expect("the line has the address");
        rest.split_whitespace()
            .next()
            .expect("the line has the address")
            .to_owned()
    }

    /// Asks it to stop and waits until it has.
    pub(crate) fn stop(mut self) -> String {
        let id = i32::try_from(self.child.id())
            .ok()
            .and_then(rustix::process::Pid::from_raw)
            .expect("an id");
        rustix::process::kill_process(id, rustix::process::Signal::TERM).expect("the program is there");
        self.waits("the end", |serving| {
            serving.child.try_wait().expect("can be waited for").is_some()
        });
        self.log()
    }

    fn waits(&mut self, what: &str, mut done: impl FnMut(&mut Serving) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !done(self) {
            assert!(
                Instant::now() < deadline,
                "waited in vain for {what}; the log:\n{}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads a pipe in the background, line by line.
fn collect(pipe: impl std::io::Read + Send + 'static) -> Arc<Mutex<String>> {
    let text = Arc::new(Mutex::new(String::new()));
    let shared = text.clone();
    std::thread::spawn(move || {
        let mut reader = BufReader::new(pipe);
        let mut line = Vec::new();
        while reader.by_ref().read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            shared
                .lock()
                .expect("no reader panics")
                .push_str(&String::from_utf8_lossy(&line));
            line.clear();
        }
    });
    text
}
