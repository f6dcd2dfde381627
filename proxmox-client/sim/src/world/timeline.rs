//! What will happen later, in order of time.

use std::collections::BTreeMap;

use super::{Archive, Backups, Millis, Run, Upid};

/// Something that happens at a later moment.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// A guest changes its state. Going off puts its pending configuration in force.
    Guest { vmid: u32, becomes: Becomes },
    /// A task ends.
    EndTask { upid: Upid, outcome: Result<(), String> },
    /// An archive is complete, and the backups after it can go on.
    BackupMade { archive: Archive, job: Backups },
    /// Nobody has come to a console.
    ConsoleGivesUp { node: String, port: u16, upid: Upid },
}

/// The states a guest goes through while it starts, stops or restarts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Becomes {
    /// On, with a process.
    Running,
    /// Reported as running, but without a process: it is going down.
    GoingDown,
    /// Off.
    Stopped,
}

/// Steps waiting for their time.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    steps: BTreeMap<(Millis, u64), Step>,
    next: u64,
}

impl Timeline {
    /// Adds a step; steps of the same moment keep the order in which they were added.
    pub(crate) fn add(&mut self, at: Millis, step: Step) {
        self.steps.insert((at, self.next), step);
        self.next += 1;
    }

    /// Takes the first step that is due, with its time.
    pub(crate) fn take_due(&mut self, now: Millis) -> Option<(Millis, Step)> {
        let first = self.steps.first_entry()?;
        let at = first.key().0;
        (at <= now).then(|| (at, first.remove()))
    }

    /// Forgets the steps of a task that was stopped.
    pub(crate) fn cancel(&mut self, stopped: &Upid, vmid: Option<u32>) {
        self.steps.retain(|_, step| match step {
            Step::EndTask { upid, .. } | Step::ConsoleGivesUp { upid, .. } => upid != stopped,
            Step::BackupMade { job, .. } => job.upid != *stopped,
            Step::Guest { vmid: of, .. } => Some(*of) != vmid,
        });
    }
}

impl Becomes {
    /// The state itself.
    pub(crate) fn run(self, now: Millis, pid: u32) -> Run {
        match self {
            Becomes::Running => Run::Running {
                since: now,
                pid: Some(pid),
            },
            Becomes::GoingDown => Run::Running { since: now, pid: None },
            Becomes::Stopped => Run::Stopped,
        }
    }
}
