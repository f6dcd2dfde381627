//! A real shell on a real terminal, shared by everybody who attaches: what dtach and lxc-attach are on a node.

use std::fs::{File, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use tempfile::TempDir;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// What dtach shows to whoever attaches, and what when the program has ended.
const ATTACHED: &[u8] = b"\x1b[H\x1b[J";
const ENDED: &[u8] = b"\x1b[999H\r\n[EOF - dtach terminating]\r\n\x1b[?25h";

/// Which shell root has, and which programs are beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flavour {
    /// bash, also as `sh`, with coreutils.
    Bash,
    /// dash, also as `sh`, with coreutils.
    Dash,
    /// busybox alone.
    Ash,
}

impl Flavour {
    /// Those that this machine has.
    pub(crate) fn all() -> Vec<Self> {
        let has = |flavour: &Self| {
            let found = flavour.program().is_some();
            if !found {
                crate::skipped(&format!("consoles with {flavour:?}: it is not installed"));
            }
            found
        };
        [Self::Bash, Self::Dash, Self::Ash].into_iter().filter(has).collect()
    }

    fn program(self) -> Option<String> {
        let name = match self {
            Self::Bash => "bash",
            Self::Dash => "dash",
            Self::Ash => "busybox",
        };
        let places = ["/bin", "/usr/bin"].map(|folder| format!("{folder}/{name}"));
        places.into_iter().find(|place| Path::new(place).exists())
    }
}

/// A container's terminal. Its shell is started when somebody attaches and none is running.
pub(crate) struct Terminal {
    flavour: Flavour,
    root: TempDir,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    keyboard: Option<mpsc::Sender<Vec<u8>>>,
    viewers: Vec<UnboundedSender<Vec<u8>>>,
    shell: Option<u32>,
}

impl Terminal {
    pub(crate) fn new(flavour: Flavour) -> Result<Self> {
        let root = TempDir::new()?;
        let program = flavour.program().context("the shell is not installed")?;
        let tools = root.path().join("bin");
        std::fs::create_dir(&tools)?;
        if flavour == Flavour::Ash {
            let installed = Command::new(&program).args(["--install", "-s"]).arg(&tools).status()?;
            anyhow::ensure!(installed.success(), "busybox cannot be installed");
        } else {
            symlink(&program, tools.join("sh"))?;
        }
        if !rustix::process::getuid().is_root() {
            let _ = std::fs::remove_file(tools.join("id"));
            std::fs::write(tools.join("id"), "#!/bin/sh\necho 0\n")?;
            std::fs::set_permissions(tools.join("id"), Permissions::from_mode(0o755))?;
        }
        Ok(Self {
            flavour,
            root,
            shared: Arc::default(),
        })
    }

    /// Joins whoever is there. The channel ends with the shell.
    pub(crate) fn attach(&self) -> Result<UnboundedReceiver<Vec<u8>>> {
        let (viewer, view) = unbounded_channel();
        viewer.send(ATTACHED.to_vec())?;
        let mut shared = lock(&self.shared);
        shared.viewers.push(viewer);
        if shared.shell.is_none() {
            self.start(&mut shared)?;
        }
        Ok(view)
    }

    /// Presses keys, as anybody who is attached may.
    pub(crate) fn press(&self, keys: &[u8]) {
        if let Some(keyboard) = &lock(&self.shared).keyboard {
            // A shell that has just ended reads no more.
            let _ = keyboard.send(keys.to_vec());
        }
    }

    /// The process id of the shell while it runs.
    pub(crate) fn shell(&self) -> Option<u32> {
        lock(&self.shared).shell
    }

    /// Ends the shell, as a container that is stopped does.
    pub(crate) fn end(&self) {
        if let Some(shell) = self.shell().and_then(|pid| Pid::from_raw(pid.cast_signed())) {
            // It may have ended by itself.
            let _ = kill_process(shell, Signal::KILL);
        }
    }

    /// Waits until the shell has ended.
    pub(crate) async fn ended(&self) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(30);
        while self.shell().is_some() {
            if Instant::now() > deadline {
                bail!("the shell runs on");
            }
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    fn start(&self, shared: &mut Shared) -> Result<()> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let slave = ptsname(&master, Vec::new())?;
        let size = Winsize {
            ws_row: 20,
            ws_col: 80,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&master, size)?;
        let slave = File::options().read(true).write(true).open(slave.to_str()?)?;
        let child = self.command(&slave)?.spawn()?;
        shared.shell = Some(child.id());
        let (keyboard, keys) = mpsc::channel::<Vec<u8>>();
        shared.keyboard = Some(keyboard);
        let master = File::from(master);
        let mut hand = master.try_clone()?;
        std::thread::spawn(move || {
            while let Ok(pressed) = keys.recv() {
                if hand.write_all(&pressed).is_err() {
                    break;
                }
            }
        });
        let shared = self.shared.clone();
        std::thread::spawn(move || show(master, child, &shared));
        Ok(())
    }

    /// The shell as lxc-attach starts it: it leads a session of its own, with little in its environment.
    fn command(&self, slave: &File) -> Result<Command> {
        let program = self.flavour.program().context("the shell is not installed")?;
        let tools = self.root.path().join("bin");
        // Whoever runs the tests in the background ignores signals, and a shell would inherit that.
        let mut command = Command::new("/usr/bin/env");
        command.arg("--default-signal=HUP,INT,QUIT");
        command.args(["/usr/bin/setsid", "--ctty"]).arg(program);
        match self.flavour {
            Flavour::Bash => command.arg("--norc"),
            Flavour::Dash => &mut command,
            Flavour::Ash => command.arg("ash"),
        };
        let path = match self.flavour {
            Flavour::Ash => tools.display().to_string(),
            _ => format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", tools.display()),
        };
        command
            .current_dir("/")
            .env_clear()
            .env("PATH", path)
            .env("TERM", "linux")
            .env("container", "lxc")
            .stdin(Stdio::from(slave.try_clone()?))
            .stdout(Stdio::from(slave.try_clone()?))
            .stderr(Stdio::from(slave.try_clone()?));
        if self.flavour == Flavour::Bash {
            command.env("HOME", self.root.path());
        }
        Ok(command)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.end();
    }
}

/// Shows everything to everybody until the shell ends. The outer of the two terminals adds a carriage return.
fn show(mut master: File, mut child: Child, shared: &Mutex<Shared>) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(length @ 1..) = master.read(&mut buffer) {
        let shown = outer_terminal(&buffer[..length]);
        lock(shared).viewers.retain(|viewer| viewer.send(shown.clone()).is_ok());
    }
    let _ = child.kill();
    let _ = child.wait();
    let mut shared = lock(shared);
    for viewer in shared.viewers.drain(..) {
        let _ = viewer.send(ENDED.to_vec());
    }
    *shared = Shared::default();
}

fn outer_terminal(bytes: &[u8]) -> Vec<u8> {
    let mut shown = Vec::with_capacity(bytes.len() + bytes.len() / 16);
    for byte in bytes {
        if *byte == b'\n' {
            shown.push(b'\r');
        }
        shown.push(*byte);
    }
    shown
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
