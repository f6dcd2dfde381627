//! The ways into guests that lead through Proxmox VE, one file each. Which way is taken stands in the domain.
//!
//! Each way gives a [`Shell`]: the capability to run text as root. Callers use it through [`perform`], whose verbs are a
//! closed list; only an installation runs text of its own.

mod console;
pub mod console_mode;
mod exec_endpoint;
mod obstacle;
mod pieces;
mod qemu_agent;
mod verbs;

use std::time::Duration;

use futures::future::BoxFuture;
use muster_domain::reach::Transport;
use proxmox_client::Client;

pub use obstacle::{Kind, Obstacle};
pub use verbs::{Preflight, Scan, Verb, perform};

/// What a script left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// Its exit code.
    pub exit: i64,
    /// What it wrote to either stream.
    pub output: Vec<u8>,
}

/// A way into one guest that is open now. Scripts run one after the other, as root, with nothing to read.
pub trait Shell: Send + Sync {
    /// Runs a script of `sh` and waits for its end, for at most `within`.
    fn run<'a>(&'a mut self, script: &'a str, within: Duration) -> BoxFuture<'a, Result<Ran, Obstacle>>;

    /// Writes a file that only root can read, and compares its checksum. `path` is plain text without quotes.
    fn put<'a>(&'a mut self, path: &'a str, bytes: &'a [u8]) -> BoxFuture<'a, Result<(), Obstacle>>;

    /// Leaves as one came.
    fn leave(self: Box<Self>) -> BoxFuture<'static, ()>;
}

/// Opens a way into a guest. `client` calls as the token or as the user, as the way wants it. The exec call and the guest
/// agent show only at the first script whether they work.
pub async fn open(client: &Client, transport: Transport, node: &str, vmid: u32) -> Result<Box<dyn Shell>, Obstacle> {
    match transport {
        Transport::ExecEndpoint => Ok(exec_endpoint::open(client, node, vmid)),
        Transport::QemuAgent => Ok(qemu_agent::open(client, node, vmid)),
        Transport::TokenConsole | Transport::TicketConsole => console::open(client, node, vmid).await,
        Transport::Agent | Transport::ByHand => Err(Obstacle::closed(
            "no_reach",
            "This way does not lead through Proxmox VE.",
        )),
    }
}

impl Ran {
    /// The last line that says something.
    pub fn last_words(&self) -> String {
        let text = String::from_utf8_lossy(&self.output);
        let last = text.lines().map(str::trim).rfind(|line| !line.is_empty());
        last.unwrap_or_default().chars().take(500).collect()
    }
}
