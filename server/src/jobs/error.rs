//! How a run of a job ends.

use std::time::Duration;

use muster_domain::Timestamp;
use muster_store::{GivesWay, StoreError};

use crate::app::Error;

/// What comes after a run that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Every target is over.
    Done,
    /// Some wait for the world: run again at that moment, or when the job is woken.
    Park(Timestamp),
}

/// Why a run of a job as a whole did not work. The author of a kind decides whether trying again makes sense; what goes
/// wrong with a single target is that target's end, not an error of the job.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// Trying again later may work.
    #[error("{detail}")]
    Retry {
        /// How much later.
        after: Duration,
        /// What stands in the way.
        detail: String,
    },
    /// It will not work.
    #[error("{detail}")]
    Fail {
        /// Stable code.
        code: &'static str,
        /// What happened, and what to do.
        detail: String,
    },
    /// Somebody wants the job stopped, or the server stops.
    #[error("the job was stopped")]
    Stopped,
}

/// The database is busy or away for a moment.
const SOON: Duration = Duration::from_secs(5);

impl From<StoreError> for JobError {
    fn from(error: StoreError) -> Self {
        JobError::Retry {
            after: SOON,
            detail: error.to_string(),
        }
    }
}

impl From<Error> for JobError {
    fn from(error: Error) -> Self {
        match error {
            Error::Store(error) => error.into(),
            Error::Upstream { code, detail } | Error::Conflict { code, detail } => JobError::Fail { code, detail },
            Error::Unavailable { detail, .. } => JobError::Retry { after: SOON, detail },
            other => JobError::Fail {
                code: "internal",
                detail: other.to_string(),
            },
        }
    }
}

impl GivesWay for JobError {
    /// Conflicts are told by [`StoreError`]; once it is a `JobError` the runner tries again later.
    fn gives_way(&self) -> bool {
        false
    }
}
