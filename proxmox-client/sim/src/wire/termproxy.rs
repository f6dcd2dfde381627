//! The terminal program of a console: lets one client in, then passes keys and screen on.

use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::broadcast::Receiver;

use super::frames::{self, Ear, Frame, Mouth};
use super::keys::{Keys, Wish};
use crate::guests::Nature;
use crate::site::Site;
use crate::terminals::{ATTACHED, DETACHED, ENDED, Seat};
use crate::world::{Cluster, Console, ConsoleMode};

/// Leaves the shared terminal when it is the first byte of what is typed.
const DETACH: u8 = 0x1c;

/// How a terminal program ends: well, or with the last line of its log.
type Outcome = Result<(), &'static str>;

const PROGRAM_ENDED: Outcome = Err("error reading from pty: Input/output error (os error 5)");

/// A terminal program that runs. Dropping it ends it.
pub(super) struct Termproxy {
    site: Arc<Site>,
    console: Console,
    outcome: Outcome,
}

impl Drop for Termproxy {
    fn drop(&mut self) {
        self.site
            .with(|cluster, now| cluster.end_console(&self.console, self.outcome, now));
    }
}

impl Termproxy {
    /// The terminal program of a console that was just taken.
    pub(super) fn new(site: Arc<Site>, console: Console) -> Termproxy {
        Termproxy {
            site,
            console,
            outcome: Ok(()),
        }
    }

    /// Serves its client until one of them ends, or somebody stops the task.
    pub(super) async fn serve(mut self, stream: impl AsyncRead + AsyncWrite) {
        let mut cuts = self.site.console_cuts();
        let (ear, mouth) = frames::open(stream);
        self.outcome = tokio::select! {
            outcome = self.converse(ear, mouth) => outcome,
            () = self.is_cut(&mut cuts) => Ok(()),
        };
    }

    /// Waits until somebody stops the task.
    async fn is_cut(&self, cuts: &mut Receiver<String>) {
        let upid = self.console.upid.to_string();
        while !matches!(cuts.recv().await, Ok(cut) if cut == upid) {}
    }

    async fn converse<S: AsyncRead + AsyncWrite>(&self, mut ear: Ear<S>, mut mouth: Mouth<S>) -> Outcome {
        let console = &self.console;
        // The connection comes from pveproxy, on the same node.
        let from = format!("client connection: 127.0.0.1:{}", 32_768 + console.upid.pid % 28_000);
        self.site.with(|cluster, _| cluster.log(&console.upid, from));
        let within = self.site.timing.console_login;
        let Ok(greeting) = tokio::time::timeout(within, greeting(&mut ear)).await else {
            return Err("failed to read ticket: timed out");
        };
        if greeting != format!("{}:{}", console.user, console.ticket).as_bytes() || !console.lets_in {
            tokio::time::sleep(self.site.timing.failed_login).await;
            return Err("authentication request failed");
        }
        mouth.say(b"OK").await;
        match self.site.with(|cluster, _| Program::of(cluster, console)) {
            Program::In(nature) => match self.attach(nature).await {
                Ok(seat) => {
                    let breaks_after = self.site.with(|cluster, _| breaks_after(cluster, console.vmid));
                    relay(seat, (ear, mouth), console.upid.pid.is_multiple_of(3), breaks_after).await
                }
                Err(text) => ends(&text, ear, mouth, true).await,
            },
            Program::Off(text) => ends(&text, ear, mouth, true).await,
            Program::NoRoute(text) => {
                tokio::time::sleep(self.site.timing.unreachable).await;
                mouth.say(text.as_bytes()).await;
                PROGRAM_ENDED
            }
        }
    }

    /// Sits down at the terminal, whose guest may have to boot.
    async fn attach(&self, nature: Nature) -> Result<Seat, String> {
        let (site, console) = (Arc::clone(&self.site), self.console.clone());
        let by_ssh = console.owner != console.upid.node;
        let sit_down = move || site.attach(console.vmid, &nature, console.mode, by_ssh);
        match tokio::task::spawn_blocking(sit_down).await {
            Ok(Ok(seat)) => Ok(seat),
            Ok(Err(error)) => Err(format!("proxmox-sim: {error:#}")),
            Err(error) => Err(format!("proxmox-sim: {error}")),
        }
    }
}

/// The first line, without its end; what there is if the client goes before.
async fn greeting<S: AsyncRead + AsyncWrite>(ear: &mut Ear<S>) -> Vec<u8> {
    let mut line = Vec::new();
    while let Some(frame) = ear.next().await {
        if let Frame::Data(bytes) = frame {
            line.extend(bytes);
        }
        if let Some(end) = line.iter().position(|byte| *byte == b'\n') {
            line.truncate(end);
            break;
        }
    }
    line
}

/// What is behind the terminal.
enum Program {
    /// A program in the container.
    In(Nature),
    /// The complaint of lxc's program that the container is off.
    Off(String),
    /// The complaint of ssh that the container's node is.
    NoRoute(String),
}

impl Program {
    fn of(cluster: &Cluster, console: &Console) -> Program {
        let vmid = console.vmid;
        if let Some(node) = cluster.node(&console.owner).filter(|node| !node.online) {
            let complaint = format!("ssh: connect to host {} port 22: No route to host\r\r\n", node.ip);
            return Program::NoRoute(complaint);
        }
        let running = cluster.guests.get(&vmid).and_then(Nature::of);
        match (running, console.mode) {
            (Some(nature), _) => Program::In(nature),
            (None, ConsoleMode::Shell) => Program::Off(format!(
                "lxc-attach: {vmid}: ../src/lxc/attach.c: get_attach_context: 406 Connection refused - Failed to get init pid\r\n\
                 lxc-attach: {vmid}: ../src/lxc/attach.c: lxc_attach: 1470 Connection refused - Failed to get attach context\r\n"
            )),
            (None, _) => Program::Off(format!(
                "lxc-console: {vmid}: ../src/lxc/tools/lxc_console.c: lxc_console_main: 130 {vmid} is not running\r\n"
            )),
        }
    }
}

/// A program that ends with a complaint.
async fn ends<S: AsyncRead + AsyncWrite>(text: &str, mut ear: Ear<S>, mut mouth: Mouth<S>, lingers: bool) -> Outcome {
    mouth.say(&[ATTACHED, text.as_bytes()].concat()).await;
    farewell(&mut ear, &mut mouth, lingers).await
}

/// The end of a program is noticed at once, or only at the next key; then the last words are seen.
async fn farewell<S: AsyncRead + AsyncWrite>(ear: &mut Ear<S>, mouth: &mut Mouth<S>, lingers: bool) -> Outcome {
    if lingers {
        mouth.say(ENDED).await;
        let mut keys = Keys::default();
        while let Some(frame) = ear.next().await {
            match frame {
                Frame::Data(bytes) if keys.read(&bytes).iter().any(|wish| matches!(wish, Wish::Press(_))) => break,
                Frame::Ping(bytes) => drop(mouth.pong(&bytes).await),
                _ => {}
            }
        }
    }
    PROGRAM_ENDED
}

fn breaks_after(cluster: &mut Cluster, vmid: u32) -> Option<u32> {
    cluster.guests.get_mut(&vmid)?.mishaps.console_breaks_after()
}

/// Passes keys and screen on until one side ends, or the connection is to break off after some messages.
async fn relay<S: AsyncRead + AsyncWrite>(
    mut seat: Seat,
    (mut ear, mut mouth): (Ear<S>, Mouth<S>),
    lingers: bool,
    mut breaks_after: Option<u32>,
) -> Outcome {
    mouth.say(ATTACHED).await;
    let mut keys = Keys::default();
    loop {
        tokio::select! {
            shown = seat.view.recv() => match shown {
                Some(bytes) if mouth.say(&bytes).await => {}
                Some(_) => return Ok(()),
                None => return farewell(&mut ear, &mut mouth, lingers).await,
            },
            heard = ear.next() => match heard {
                None => return Ok(()),
                Some(Frame::Ping(bytes)) => drop(mouth.pong(&bytes).await),
                Some(Frame::Pong) => {}
                Some(Frame::Data(bytes)) => for wish in keys.read(&bytes) {
                    match wish {
                        Wish::Press(_) if breaks_after == Some(0) => return Ok(()),
                        Wish::Press(keys) if keys.first() == Some(&DETACH) => {
                            mouth.say(DETACHED).await;
                            return PROGRAM_ENDED;
                        }
                        Wish::Press(keys) => {
                            breaks_after = breaks_after.map(|left| left - 1);
                            seat.press(keys);
                        }
                        Wish::Resize { columns, rows } => seat.resize(columns, rows),
                    }
                },
            },
        }
    }
}
