//! Snapshots of guests. The calls answer with tasks, in which most of what can be wrong is found.

use serde_json::{Value, json};

use super::rows::row;
use super::{ApiError, Call};
use crate::world::{FileWork, Guest, Kind, Snapshot};

/// All snapshots, and as `current` the state now.
pub(super) fn list(call: &mut Call<'_>) -> Result<Value, ApiError> {
    let guest = call.guest()?;
    let kept = guest.snapshots.all.iter().map(|snapshot| {
        let mut entry = row(json!({
            "name": snapshot.name, "snaptime": snapshot.time, "description": snapshot.description,
        }));
        if guest.kind == Kind::Qemu {
            entry.insert("vmstate".to_owned(), json!(0));
        }
        hang(&mut entry, snapshot.parent.as_deref());
        Value::Object(entry)
    });
    let mut now = row(json!({
        "name": "current", "description": "You are here!", "digest": guest.config.digest(),
        "running": u8::from(guest.is_running()),
    }));
    hang(&mut now, guest.snapshots.current.as_deref());
    Ok(kept.chain([Value::Object(now)]).collect())
}

fn hang(entry: &mut super::rows::Row, parent: Option<&str>) {
    if let Some(parent) = parent {
        entry.insert("parent".to_owned(), json!(parent));
    }
}

/// Subdirectories below a snapshot (recorded from PVE 9.1.9).
pub(super) fn index(_: &mut Call<'_>) -> Result<Value, ApiError> {
    Ok(json!([{ "cmd": "rollback" }, { "cmd": "config" }]))
}

/// The configuration that is kept with a snapshot.
pub(super) fn config(call: &mut Call<'_>) -> Result<Value, ApiError> {
    let name = call.path_value("snapname").to_owned();
    let snapshot = snapshot_of(call.guest()?, &name)?;
    let mut config = snapshot.config.clone();
    config.insert("snaptime".to_owned(), json!(snapshot.time));
    if !snapshot.description.is_empty() {
        config.insert("description".to_owned(), json!(snapshot.description));
    }
    if let Some(parent) = &snapshot.parent {
        config.insert("parent".to_owned(), json!(parent));
    }
    Ok(config.into_iter().collect())
}

/// Changes a snapshot's description.
pub(super) fn describe(call: &mut Call<'_>) -> Result<Value, ApiError> {
    let (name, vmid) = (call.path_value("snapname").to_owned(), call.vmid());
    let text = described(call);
    snapshot_of(call.guest()?, &name)?;
    let guest = call.cluster.guests.get_mut(&vmid);
    if let Some(snapshot) = guest.and_then(|guest| guest.snapshots.get_mut(&name)) {
        snapshot.description = text;
    }
    Ok(Value::Null)
}

/// Whether something can be done with the guest's disks.
pub(super) fn feature(call: &mut Call<'_>) -> Result<Value, ApiError> {
    let guest = call.guest()?;
    if let Some(name) = call.params.text("snapname") {
        snapshot_of(guest, name)?;
    }
    let has = match call.params.text("feature") {
        Some("copy") => true,
        _ => call.cluster.can_snapshot(guest),
    };
    Ok(match guest.kind {
        Kind::Lxc => json!({ "hasFeature": u8::from(has) }),
        Kind::Qemu => json!({ "hasFeature": u8::from(has), "nodes": [guest.node] }),
    })
}

pub(super) fn create(call: &mut Call<'_>) -> Result<Value, ApiError> {
    let name = call.params.text("snapname").unwrap_or_default().to_owned();
    let reserved = match call.kind() {
        Kind::Lxc => ["current", "vzdump"],
        Kind::Qemu => ["current", "pending"],
    };
    if reserved.contains(&name.as_str()) {
        return Err(ApiError::failed(format!(
            "unable to use snapshot name '{name}' (reserved name)"
        )));
    }
    let guest = call.guest()?;
    let problem = match guest.snapshots.get(&name) {
        Some(_) => Some(format!("snapshot name '{name}' already used")),
        None if !call.cluster.can_snapshot(guest) => Some("snapshot feature is not available".to_owned()),
        None => None,
    };
    let description = described(call);
    begin(call, "snapshot", problem, FileWork::Keep { name, description })
}

/// Returns to a snapshot. The guest is off after that, unless `start` is asked for.
pub(super) fn rollback(call: &mut Call<'_>) -> Result<Value, ApiError> {
    let name = call.path_value("snapname").to_owned();
    let guest = call.guest()?;
    let problem = missing(guest, &name).or_else(|| call.cluster.rollback_problem(guest, &name));
    let then_start = call.params.flag("start");
    begin(call, "rollback", problem, FileWork::Restore { name, then_start })
}

pub(super) fn delete(call: &mut Call<'_>) -> Result<Value, ApiError> {
    let name = call.path_value("snapname").to_owned();
    let problem = missing(call.guest()?, &name);
    begin(call, "delsnapshot", problem, FileWork::Forget { name })
}

/// Begins a task that works on the guest's files, or fails with the problem.
fn begin(call: &mut Call<'_>, operation: &str, problem: Option<String>, work: FileWork) -> Result<Value, ApiError> {
    call.expect_quorum()?;
    let guest = call.guest()?;
    let (node, vmid, now) = (call.node(), call.vmid(), call.now);
    let locked = guest
        .lock()
        .map(|lock| format!("{} is locked ({lock})", guest.kind.short()));
    let kind = format!("{}{operation}", guest.kind.task_prefix());
    let upid = call.cluster.begin_task(&node, kind, vmid.to_string(), call.caller, now);
    match locked.or(problem) {
        Some(problem) => call.cluster.finish_task(&upid, now, Err(problem)),
        None => call.cluster.begin_files(vmid, work, &upid, now),
    }
    Ok(json!(upid.to_string()))
}

fn snapshot_of<'a>(guest: &'a Guest, name: &str) -> Result<&'a Snapshot, ApiError> {
    let snapshot = guest.snapshots.get(name);
    snapshot.ok_or_else(|| ApiError::failed(format!("snapshot '{name}' does not exist")))
}

fn missing(guest: &Guest, name: &str) -> Option<String> {
    let is_missing = guest.snapshots.get(name).is_none();
    is_missing.then(|| format!("snapshot '{name}' does not exist"))
}

/// A description gets a line feed at its end.
fn described(call: &Call<'_>) -> String {
    match call.params.text("description").unwrap_or_default() {
        "" => String::new(),
        text => format!("{}\n", text.trim_end_matches('\n')),
    }
}
