//! Consoles of containers: asking for one, and the connection to it.

use serde_json::{Value, json};

use super::{ApiError, Call, Errand};
use crate::world::{ConsoleMode, NewConsole};

/// Starts a terminal program on the node that was asked; a node that owns the container elsewhere is reached from
/// there. Whether the container runs is not looked at.
pub(super) fn start(call: &mut Call<'_>) -> Result<Value, ApiError> {
    let (owner, vmid, node) = (call.node(), call.vmid(), call.asked_node.to_owned());
    let mode = match call.guest()?.config.active.get("cmode").and_then(Value::as_str) {
        Some("shell") => ConsoleMode::Shell,
        Some("console") => ConsoleMode::Console,
        _ => ConsoleMode::Tty,
    };
    let port = call.cluster.consoles.free_port(&node);
    let port = port.ok_or_else(|| ApiError::failed("unable to find free port (5900-5999)"))?;
    let (user, now) = (call.caller.to_owned(), call.now);
    let ticket = call.cluster.tickets.console(&user, &path(vmid), port, now);
    let upid = call
        .cluster
        .begin_task(&node, "vncproxy".to_owned(), vmid.to_string(), &user, now);
    let answer = json!({ "user": user, "ticket": ticket, "port": port.to_string(), "upid": upid.to_string() });
    let console = NewConsole {
        upid,
        user,
        ticket,
        vmid,
        owner,
        mode,
    };
    call.cluster.open_console(port, console, now);
    Ok(answer)
}

/// Checks the ticket. The connection itself is made by what serves the request, if that asks for an upgrade.
pub(super) fn connect(call: &mut Call<'_>) -> Result<Value, ApiError> {
    let port = call.params.text("port").unwrap_or_default().to_owned();
    let ticket = call.params.text("vncticket").unwrap_or_default();
    let number: u16 = port.parse().unwrap_or_default();
    if !call
        .cluster
        .tickets
        .is_console(ticket, call.caller, &path(call.vmid()), number, call.now)
    {
        return Err(ApiError::unauthorized("permission denied - invalid PVEVNC ticket"));
    }
    call.errand = Some(Errand::Console { port: number });
    Ok(json!({ "port": port }))
}

fn path(vmid: u32) -> String {
    format!("/vms/{vmid}")
}
