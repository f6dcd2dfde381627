//! `POST /nodes/{node}/lxc/{vmid}/exec`: a call that no released PVE has, and that a later one or a proxy may offer. It
//! answers with a task; the task's log is what the command wrote, its exit status how the command ended.

use std::time::Duration;

use proxmox_client::{Client, Error};

use crate::pve::Failure;

/// What a command wrote, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Whether it ended well.
    pub succeeded: bool,
    /// How it ended, in PVE's words: `OK`, `exit code 1`.
    pub exit: String,
    /// What it wrote.
    pub text: String,
}

/// Runs a line for `sh` as root in a container, and waits at most `within` for its end. A failure with the code
/// `pve_lacks_call` means that this PVE does not have the call.
pub async fn run_in_container(
    client: &Client,
    node: &str,
    vmid: u32,
    line: &str,
    within: Duration,
) -> Result<Output, Failure> {
    let task = client.lxc_exec(node, vmid, ["sh", "-c", line]).await?;
    let (succeeded, exit) = match client.wait_task(&task, within).await {
        Ok(status) => (true, status.exit_status.unwrap_or_default()),
        Err(Error::TaskFailed { exit, .. }) => (false, exit),
        Err(error) => return Err(error.into()),
    };
    let mut lines = client.task_log(&task, 0).await?;
    // PVE itself writes the last line of a task's log (pve-common, `PVE/RESTEnvironment.pm`).
    lines.pop_if(|line| line.text.starts_with("TASK "));
    Ok(Output {
        succeeded,
        exit,
        text: lines.into_iter().map(|line| line.text + "\n").collect(),
    })
}
