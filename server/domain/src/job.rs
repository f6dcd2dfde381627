//! Jobs: durable background work with targets. What states they have, how they get from one to the next, and who may do
//! what to them.

use serde::{Deserialize, Serialize};

use crate::ClusterId;
use crate::fleet::words;
use crate::install::Consoles;

/// What a job does, with its input. Stored as JSON in the job's row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Work {
    /// Find a cluster's nodes and guests. Its one target is the cluster.
    Discover {
        /// Which.
        cluster: ClusterId,
        /// Why: `request`, `schedule` or `added`.
        trigger: String,
    },
    /// Read what could be updated in each target.
    Scan,
    /// Install the agent in each target: through PVE where a way leads in, else by a line that a person pastes.
    Install {
        /// Whether a working agent is to be replaced: then only a new enrolment counts.
        again: bool,
        /// What may be done to consoles.
        #[serde(default = "leave_consoles")]
        consoles: Consoles,
    },
}

/// Jobs of the time before consoles could be changed.
fn leave_consoles() -> Consoles {
    Consoles::Leave
}

impl Work {
    /// The word for it in the database, in JSON and on the screen.
    pub const fn kind(&self) -> &'static str {
        match self {
            Work::Discover { .. } => "discover",
            Work::Scan => "scan",
            Work::Install { .. } => "install",
        }
    }

    /// Jobs with the same key never run at the same time.
    pub fn concurrency_key(&self) -> Option<String> {
        match self {
            Work::Discover { cluster, .. } => Some(format!("discover:{cluster}")),
            Work::Scan | Work::Install { .. } => None,
        }
    }
}

words! {
    /// Where a job stands.
    JobState {
        /// Waits for a free place.
        Queued = "queued",
        /// Somebody works on it, or it waits for the world.
        Running = "running",
        /// Every target that could be done is done.
        Succeeded = "succeeded",
        /// Some targets failed.
        Partly = "partly",
        /// No target succeeded.
        Failed = "failed",
        /// Somebody stopped it before its end.
        Cancelled = "cancelled",
    }
}

impl JobState {
    /// Whether nothing will happen to it any more.
    pub const fn is_over(self) -> bool {
        !matches!(self, JobState::Queued | JobState::Running)
    }

    /// Whether it may be cancelled; the reason when not.
    pub fn may_cancel(self) -> Result<(), &'static str> {
        if self.is_over() {
            Err("The job has ended.")
        } else {
            Ok(())
        }
    }

    /// Whether its failed targets may be tried in a new job; the reason when not.
    pub fn may_retry(self, failed: u64) -> Result<(), &'static str> {
        match (self.is_over(), failed) {
            (false, _) => Err("The job has not ended yet."),
            (true, 0) => Err("No target of this job has failed."),
            (true, _) => Ok(()),
        }
    }
}

words! {
    /// Where one target of a job stands.
    TargetState {
        /// Not begun.
        Queued = "queued",
        /// Being worked on.
        Running = "running",
        /// Waits for something outside, like a person who pastes a line.
        Waiting = "waiting",
        /// Done.
        Succeeded = "succeeded",
        /// Tried, and it did not work.
        Failed = "failed",
        /// Not tried, for a reason that is no failure.
        Skipped = "skipped",
        /// Stopped by a person.
        Cancelled = "cancelled",
    }
}

impl TargetState {
    /// Whether nothing will happen to it any more.
    pub const fn is_over(self) -> bool {
        !matches!(self, TargetState::Queued | TargetState::Running | TargetState::Waiting)
    }

    /// The state after `event`; `None` when the event cannot happen to a target in this state. A target that is over stays
    /// as it is for ever, which is what keeps a resumed job from doing anything twice.
    pub const fn next(self, event: TargetEvent) -> Option<TargetState> {
        use TargetEvent as E;
        use TargetState as S;
        match (self, event) {
            (S::Queued | S::Running | S::Waiting, E::Start) => Some(S::Running),
            (S::Queued | S::Running | S::Waiting, E::Wait) => Some(S::Waiting),
            (S::Running, E::Postpone) => Some(S::Queued),
            (S::Running | S::Waiting, E::Succeed) => Some(S::Succeeded),
            (S::Queued | S::Running | S::Waiting, E::Fail) => Some(S::Failed),
            (S::Queued | S::Running, E::Skip) => Some(S::Skipped),
            (S::Queued | S::Running | S::Waiting, E::Cancel) => Some(S::Cancelled),
            _ => None,
        }
    }
}

/// What can happen to a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TargetEvent {
    /// Work begins, goes on at the next step, or is taken up again after a crash.
    Start,
    /// Nothing to do until something outside happens.
    Wait,
    /// Back into the queue for another attempt.
    Postpone,
    /// Done.
    Succeed,
    /// It did not work.
    Fail,
    /// It turned out that there is nothing to try.
    Skip,
    /// A person stopped the job.
    Cancel,
}

/// How many targets of a job are where. The states partition the targets: nothing is dropped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Neither of the others: still to come, running or waiting.
    pub open: u64,
    /// Succeeded.
    pub succeeded: u64,
    /// Failed.
    pub failed: u64,
    /// Skipped.
    pub skipped: u64,
    /// Cancelled.
    pub cancelled: u64,
}

impl Tally {
    /// Counts `n` targets in `state`.
    pub fn add(&mut self, state: TargetState, n: u64) {
        *match state {
            TargetState::Queued | TargetState::Running | TargetState::Waiting => &mut self.open,
            TargetState::Succeeded => &mut self.succeeded,
            TargetState::Failed => &mut self.failed,
            TargetState::Skipped => &mut self.skipped,
            TargetState::Cancelled => &mut self.cancelled,
        } += n;
    }

    /// All targets.
    pub fn total(&self) -> u64 {
        self.open + self.over()
    }

    /// Targets to which nothing will happen any more.
    pub fn over(&self) -> u64 {
        self.succeeded + self.failed + self.skipped + self.cancelled
    }

    /// What the job came to; `None` while a target is open. A job of which nothing succeeded has failed, also when all its targets
    /// were skipped: it did nothing.
    pub fn outcome(&self) -> Option<JobState> {
        match *self {
            Tally { open: 1.., .. } => None,
            Tally { cancelled: 1.., .. } => Some(JobState::Cancelled),
            Tally {
                succeeded: 0,
                failed: 0,
                skipped: 0,
                ..
            } => Some(JobState::Succeeded),
            Tally { succeeded: 0, .. } => Some(JobState::Failed),
            Tally { failed: 0, .. } => Some(JobState::Succeeded),
            _ => Some(JobState::Partly),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const EVENTS: [TargetEvent; 7] = [
        TargetEvent::Start,
        TargetEvent::Wait,
        TargetEvent::Postpone,
        TargetEvent::Succeed,
        TargetEvent::Fail,
        TargetEvent::Skip,
        TargetEvent::Cancel,
    ];

    #[test]
    fn every_word_is_read_back() {
        for state in JobState::ALL {
            assert_eq!(JobState::parse(state.as_str()), Some(*state));
        }
        for state in TargetState::ALL {
            assert_eq!(TargetState::parse(state.as_str()), Some(*state));
        }
    }

    #[test]
    fn work_is_stored_under_its_kind() {
        let stored = serde_json::to_value(Work::Scan).expect("work is JSON");
        assert_eq!(stored, serde_json::json!({ "kind": Work::Scan.kind() }));
    }

    #[test]
    fn every_open_target_can_be_failed_and_cancelled() {
        for state in TargetState::ALL.iter().filter(|state| !state.is_over()) {
            assert_eq!(state.next(TargetEvent::Fail), Some(TargetState::Failed));
            assert_eq!(state.next(TargetEvent::Cancel), Some(TargetState::Cancelled));
        }
    }

    proptest! {
        /// Whatever happens, a target that is over is never begun again.
        #[test]
        fn no_target_runs_after_its_end(events in prop::collection::vec(prop::sample::select(&EVENTS[..]), 0..40)) {
            let mut state = TargetState::Queued;
            let mut end = None;
            for event in events {
                if let Some(next) = state.next(event) {
                    prop_assert_eq!(end, None, "{:?} left {:?} by {:?}", next, state, event);
                    state = next;
                    end = state.is_over().then_some(state);
                }
            }
        }

        /// A job ends exactly when its last target does, and its word fits the count.
        #[test]
        fn a_job_ends_with_its_last_target(states in prop::collection::vec(prop::sample::select(TargetState::ALL), 0..40)) {
            let mut tally = Tally::default();
            for state in &states {
                tally.add(*state, 1);
            }
            prop_assert_eq!(tally.total(), states.len() as u64);
            let outcome = tally.outcome();
            prop_assert_eq!(outcome.is_some(), states.iter().all(|state| state.is_over()));
            let has = |wanted| states.contains(&wanted);
            match outcome {
                Some(JobState::Succeeded) => prop_assert!(!has(TargetState::Failed) && !has(TargetState::Cancelled)),
                Some(JobState::Partly) => prop_assert!(has(TargetState::Failed) && has(TargetState::Succeeded)),
                Some(JobState::Failed) => prop_assert!(!has(TargetState::Succeeded)),
                Some(JobState::Cancelled) => prop_assert!(has(TargetState::Cancelled)),
                Some(JobState::Queued | JobState::Running) => prop_assert!(false, "no outcome"),
                None => {}
            }
        }
    }
}
