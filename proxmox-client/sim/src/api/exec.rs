//! The extension `lxc-exec`: a call to execute a command in a container. No Proxmox VE has it. It is off unless asked
//! for, so that a client's handling of such a call can be tested.
//!
//! `POST /nodes/{node}/lxc/{vmid}/exec` with `command` (one text for `sh -c`, or several arguments) answers with a
//! UPID. The command's output is the task's log; `exitstatus` is `OK` or `exit code N`.

use serde_json::{Value, json};

use super::{ApiError, Call};
use crate::world::Event;

/// Begins the task that executes the command.
pub(super) fn start(call: &mut Call<'_>) -> Result<Value, ApiError> {
    let (node, vmid) = (call.node(), call.vmid());
    let guest = call.guest()?;
    if !guest.is_running() {
        return Err(ApiError::failed(format!("CT {vmid} not running")));
    }
    let command = match call.params.all("command") {
        [line] => ["sh", "-c", line].map(str::to_owned).to_vec(),
        arguments => arguments.to_vec(),
    };
    let upid = call
        .cluster
        .begin_task(&node, "vzexec".to_owned(), vmid.to_string(), call.caller, call.now);
    call.cluster.emit(Event::Exec {
        vmid,
        command,
        upid: upid.to_string(),
    });
    Ok(json!(upid.to_string()))
}
