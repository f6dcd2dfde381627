//! `POST /nodes/{node}/lxc/{vmid}/exec`: a call that no released PVE has, and that a later one or a proxy may offer. It
//! answers with a task; the task's log is what the command wrote, its exit status how the command ended.

use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use proxmox_client::{Client, Error};

use super::{Obstacle, Ran, Shell, pieces};

struct ExecEndpoint {
    client: Client,
    node: String,
    vmid: u32,
}

/// Nothing is asked yet. An obstacle with the code `pve_lacks_call` at the first script means that this PVE does not have
/// the call.
pub(super) fn open(client: &Client, node: &str, vmid: u32) -> Box<dyn Shell> {
    Box::new(ExecEndpoint {
        client: client.clone(),
        node: node.to_owned(),
        vmid,
    })
}

impl ExecEndpoint {
    async fn run_script(&self, script: &str, within: Duration) -> Result<Ran, Obstacle> {
        let client = &self.client;
        let task = client.lxc_exec(&self.node, self.vmid, ["sh", "-c", script]).await?;
        let exit = match client.wait_task(&task, within).await {
            Ok(_) => 0,
            Err(Error::TaskFailed { exit, .. }) => match exit_code(&exit) {
                Some(code) => code,
                None => {
                    return Err(Obstacle::lost(
                        "task_failed",
                        format!("The task {task} failed: {exit}."),
                    ));
                }
            },
            Err(error) => return Err(error.into()),
        };
        let mut lines = client.task_log(&task, 0).await?;
        // PVE itself writes the last line of a task's log (pve-common, `PVE/RESTEnvironment.pm`).
        lines.pop_if(|line| line.text.starts_with("TASK "));
        let output: String = lines.into_iter().map(|line| line.text + "\n").collect();
        Ok(Ran {
            exit,
            output: output.into_bytes(),
        })
    }
}

/// The number in `command … failed: exit code 3`.
fn exit_code(status: &str) -> Option<i64> {
    status.rsplit_once("exit code ")?.1.trim().parse().ok()
}

impl Shell for ExecEndpoint {
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
