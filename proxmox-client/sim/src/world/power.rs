//! Starting guests, with all that can hold them up.

use super::{Becomes, Cluster, Kind, Millis, Mishap, Step, Upid};

/// When a starting guest runs, and when its task ends (measured on PVE 9.1.9).
const RUNS_AFTER: Millis = 1_200;
const ENDS_AFTER: Millis = 1_600;

impl Cluster {
    /// Begins to start a guest for a task, which ends with that.
    pub(crate) fn begin_start(&mut self, vmid: u32, upid: &Upid, now: Millis) {
        let Some(guest) = self.guests.get_mut(&vmid) else {
            return;
        };
        if let Err(error) = guest.mishaps.happens(Mishap::Start) {
            return self.finish_task(upid, now, Err(error));
        }
        // The file system was in use when it was kept, so mounting waits whether somebody still uses it.
        let waits = if std::mem::take(&mut guest.mount_waits) {
            self.slow_mount
        } else {
            0
        };
        let becomes = Becomes::Running;
        self.later(now + waits + RUNS_AFTER, Step::Guest { vmid, becomes });
        let (upid, outcome) = (upid.clone(), Ok(()));
        self.later(now + waits + ENDS_AFTER, Step::EndTask { upid, outcome });
    }

    /// Starts a guest as a task of its own, which nobody is told of.
    pub(super) fn start_after(&mut self, vmid: u32, before: &Upid, now: Millis) {
        let prefix = self
            .guests
            .get(&vmid)
            .map_or(Kind::Lxc, |guest| guest.kind)
            .task_prefix();
        let upid = self.begin_task(
            &before.node,
            format!("{prefix}start"),
            vmid.to_string(),
            &before.user,
            now,
        );
        self.begin_start(vmid, &upid, now);
    }
}
