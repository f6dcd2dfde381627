//! Starting and stopping guests. The call answers with the name of a task, which does the work.

use serde_json::{Value, json};

use super::error::no_guest;
use super::{ApiError, Call};
use crate::world::{Becomes, Kind, Millis, Mishap, Step, Upid};

/// When, after its beginning, a guest changes its state, and when the task ends (measured on PVE 9.1.9).
struct Course {
    changes: &'static [(Millis, Becomes)],
    ends: Millis,
}

const STOP: Course = Course {
    changes: &[(1000, Becomes::Stopped)],
    ends: 1200,
};
const SHUTDOWN: Course = Course {
    changes: &[(400, Becomes::GoingDown), (1600, Becomes::Stopped)],
    ends: 1900,
};
const REBOOT: Course = Course {
    changes: &[
        (400, Becomes::GoingDown),
        (1500, Becomes::Stopped),
        (2800, Becomes::Running),
    ],
    ends: 3300,
};
/// A locked container, or one that a mishap awaits, goes down and is not started again.
const REBOOT_LOCKED: Course = Course {
    changes: &[(400, Becomes::GoingDown), (1500, Becomes::Stopped)],
    ends: 2000,
};

/// Also for a guest that is not here or locked: then the task fails.
pub(super) fn start(call: &mut Call<'_>) -> Result<Value, ApiError> {
    let (node, kind, vmid) = (call.node(), call.kind(), call.vmid());
    let outcome = match call.guest() {
        Ok(guest) if guest.is_running() => {
            return Err(ApiError::failed(format!("{} {vmid} already running", kind.short())));
        }
        Ok(_) if !call.cluster.is_quorate() => return Err(ApiError::no_quorum()),
        Ok(guest) => match guest.lock() {
            Some(lock) => Err(locked(kind, lock)),
            None => Ok(()),
        },
        Err(error) if kind == Kind::Qemu => return Err(error),
        Err(_) => Err(no_guest(&node, kind, vmid)),
    };
    let (upid, now) = (name_task(call, "start"), call.now);
    match outcome {
        Ok(()) => call.cluster.begin_start(vmid, &upid, now),
        failed => call.cluster.finish_task(&upid, now, failed),
    }
    Ok(json!(upid.to_string()))
}

pub(super) fn stop(call: &mut Call<'_>) -> Result<Value, ApiError> {
    running_or_error(call)?;
    let outcome = unlocked(call);
    Ok(begin(call, "stop", &STOP, outcome))
}

pub(super) fn shutdown(call: &mut Call<'_>) -> Result<Value, ApiError> {
    running_or_error(call)?;
    let outcome = unlocked(call);
    Ok(begin(call, "shutdown", &SHUTDOWN, outcome))
}

pub(super) fn reboot(call: &mut Call<'_>) -> Result<Value, ApiError> {
    running_or_error(call)?;
    let (vmid, now) = (call.vmid(), call.now);
    let is_locked = call.kind() == Kind::Lxc && call.guest()?.lock().is_some();
    let guest = call.cluster.guests.get_mut(&vmid);
    if is_locked || guest.is_some_and(|guest| guest.mishaps.happens(Mishap::Start).is_err()) {
        let upid = name_task(call, "reboot");
        run_course(
            call,
            &upid,
            &REBOOT_LOCKED,
            Err(format!("startup for container '{vmid}' failed")),
            now,
        );
        return Ok(json!(upid.to_string()));
    }
    let outcome = unlocked(call);
    Ok(begin(call, "reboot", &REBOOT, outcome))
}

fn running_or_error(call: &Call<'_>) -> Result<(), ApiError> {
    let guest = call.guest()?;
    call.expect_quorum()?;
    match guest.is_running() {
        true => Ok(()),
        false => Err(ApiError::failed(format!(
            "{} {} not running",
            guest.kind.short(),
            guest.vmid
        ))),
    }
}

fn unlocked(call: &Call<'_>) -> Result<(), String> {
    let lock = call.guest().ok().and_then(|guest| guest.lock());
    lock.map_or(Ok(()), |lock| Err(locked(call.kind(), lock)))
}

fn locked(kind: Kind, lock: &str) -> String {
    format!("{} is locked ({lock})", kind.short())
}

/// Begins a task that follows its course, or fails at once.
fn begin(call: &mut Call<'_>, operation: &str, course: &Course, outcome: Result<(), String>) -> Value {
    let upid = name_task(call, operation);
    let now = call.now;
    match outcome {
        Ok(()) => run_course(call, &upid, course, Ok(()), now),
        failed => call.cluster.finish_task(&upid, now, failed),
    }
    json!(upid.to_string())
}

fn name_task(call: &mut Call<'_>, operation: &str) -> Upid {
    let (node, vmid) = (call.node(), call.vmid());
    let kind = format!("{}{operation}", call.kind().task_prefix());
    call.cluster
        .begin_task(&node, kind, vmid.to_string(), call.caller, call.now)
}

fn run_course(call: &mut Call<'_>, upid: &Upid, course: &Course, outcome: Result<(), String>, now: Millis) {
    let vmid = call.vmid();
    for (after, becomes) in course.changes {
        call.cluster.later(
            now + after,
            Step::Guest {
                vmid,
                becomes: *becomes,
            },
        );
    }
    call.cluster.later(
        now + course.ends,
        Step::EndTask {
            upid: upid.clone(),
            outcome,
        },
    );
}
