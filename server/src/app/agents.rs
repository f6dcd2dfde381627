//! Agents: how one enrols, is let in, is given commands, is lost and is removed.

mod address;
mod admit;
mod commands;
mod enrol;
mod removal;
mod scripts;
mod watch;

pub use admit::{Admission, Hello};
pub use commands::NewOrder;
pub use scripts::{InstallScript, InstallScripts};

use muster_protocol::Refusal;

/// A refusal of an agent. Without `retry` trying again is useless until a person has acted.
pub fn refuse(code: &str, detail: impl Into<String>, retry: Option<u32>) -> Refusal {
    Refusal {
        code: code.to_owned(),
        detail: detail.into(),
        retry_after_seconds: retry,
    }
}
