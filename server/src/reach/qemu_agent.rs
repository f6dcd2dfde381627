//! The guest agent of QEMU in a VM.

use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use proxmox_client::{Client, Error};

use super::{Obstacle, Ran, Shell, pieces};

struct QemuAgent {
    client: Client,
    node: String,
    vmid: u32,
}

/// Nothing is asked yet.
pub(super) fn open(client: &Client, node: &str, vmid: u32) -> Box<dyn Shell> {
    Box::new(QemuAgent {
        client: client.clone(),
        node: node.to_owned(),
        vmid,
    })
}

impl QemuAgent {
    async fn run_script(&self, script: &str, within: Duration) -> Result<Ran, Obstacle> {
        let command = ["/bin/sh", "-c", script];
        let ran = self
            .client
            .qemu_exec(&self.node, self.vmid, &command, &[], within)
            .await;
        let mut output = ran.map_err(obstacle)?;
        output.stdout.append(&mut output.stderr);
        Ok(Ran {
            exit: output.exit,
            output: output.stdout,
        })
    }
}

/// PVE's words for the two states in which the agent cannot be asked (qemu-server, `PVE/QemuServer/Agent.pm`).
fn obstacle(error: Error) -> Obstacle {
    match &error {
        Error::Rejected { message, .. } if message.contains("No QEMU guest agent configured") => Obstacle::closed(
            "qemu_agent_off",
            "The QEMU guest agent is off: switch it on in the VM's options.",
        ),
        Error::Rejected { message, .. } if message.contains("guest agent is not running") => Obstacle::closed(
            "qemu_agent_silent",
            "The QEMU guest agent does not answer: install or start qemu-guest-agent in the VM.",
        ),
        _ => error.into(),
    }
}

impl Shell for QemuAgent {
    fn run<'a>(&'a mut self, script: &'a str, within: Duration) -> BoxFuture<'a, Result<Ran, Obstacle>> {
        self.run_script(script, within).boxed()
    }

    fn put<'a>(&'a mut self, path: &'a str, bytes: &'a [u8]) -> BoxFuture<'a, Result<(), Obstacle>> {
        pieces::put(self, path, bytes).boxed()
    }

    fn leave(self: Box<Self>) -> BoxFuture<'static, ()> {
        std::future::ready(()).boxed()
    }
}
