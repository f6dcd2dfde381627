//! What stands in a way, sorted by what to do about it.

use proxmox_client::{ConsoleError, Error};

use crate::pve::Failure;

/// What an obstacle means for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// This way does not lead in: another may.
    Closed,
    /// Somebody else is in the way: later it may be free.
    Busy,
    /// The way broke off: what was begun may run on, so look again.
    Lost,
    /// Inside something went wrong.
    Failed,
}

/// Why a way does not lead in, or does no longer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Obstacle {
    /// What it means.
    pub kind: Kind,
    /// Stable code of docs/errors.md.
    pub code: &'static str,
    /// What is, and what to do.
    pub detail: String,
}

impl Obstacle {
    /// This way does not lead in.
    pub fn closed(code: &'static str, detail: impl Into<String>) -> Obstacle {
        Obstacle::new(Kind::Closed, code, detail)
    }

    /// The way broke off.
    pub fn lost(code: &'static str, detail: impl Into<String>) -> Obstacle {
        Obstacle::new(Kind::Lost, code, detail)
    }

    fn new(kind: Kind, code: &'static str, detail: impl Into<String>) -> Obstacle {
        Obstacle {
            kind,
            code,
            detail: detail.into(),
        }
    }
}

impl From<Failure> for Obstacle {
    fn from(failure: Failure) -> Obstacle {
        let kind = match failure.is_of_the_node() {
            true => Kind::Lost,
            false => Kind::Closed,
        };
        Obstacle::new(kind, failure.code, failure.detail)
    }
}

impl From<Error> for Obstacle {
    fn from(error: Error) -> Obstacle {
        Failure::from(error).into()
    }
}

impl From<ConsoleError> for Obstacle {
    fn from(error: ConsoleError) -> Obstacle {
        let said = error.to_string();
        let because = |text: &str| format!("The console cannot be used: {said}. {text}");
        let (kind, code, detail) = match error {
            ConsoleError::Api(error) => return error.into(),
            ConsoleError::NotRunning => (Kind::Closed, "stopped", "The guest does not run: start it.".to_owned()),
            ConsoleError::Locked { lock } => (
                Kind::Closed,
                "locked",
                format!("Locked by PVE ({lock}): wait until that is over."),
            ),
            ConsoleError::LoginRequired => (
                Kind::Closed,
                "console_login",
                "The console shows no shell. With cmode=shell it does, after one restart.".to_owned(),
            ),
            ConsoleError::Busy { .. } | ConsoleError::HumanTyping => (
                Kind::Busy,
                "console_busy",
                because("Muster types nothing there; try again later."),
            ),
            ConsoleError::TokenNotSupported { .. } => (
                Kind::Closed,
                "console_token_refused",
                because("A user with a password can open it on every version."),
            ),
            ConsoleError::NotAccepted { .. } => (Kind::Closed, "console_refused", because("")),
            ConsoleError::NotRoot { .. } | ConsoleError::UnknownShell { .. } => {
                (Kind::Closed, "console_no_shell", because(""))
            }
            ConsoleError::TimedOut { .. } => (Kind::Failed, "guest_slow", format!("The guest took too long: {said}.")),
            ConsoleError::Failed { .. } | ConsoleError::Killed | ConsoleError::TooLarge { .. } => (
                Kind::Failed,
                "guest_failed",
                format!("It did not work in the guest: {said}."),
            ),
            _ => (Kind::Lost, "console_ended", format!("The console broke off: {said}.")),
        };
        Obstacle::new(kind, code, detail.trim_end())
    }
}
