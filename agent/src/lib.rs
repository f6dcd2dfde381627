//! The Muster agent: a small program in a guest that dials out, proves who it is, and does typed, signed commands.
//!
//! It opens no port and takes no free text: a command is one of the verbs of [`muster_protocol::Verb`], signed by the one
//! server key that was given at enrolment ([`enrol()`]). The table of commands is the server's; what must survive a crash here (the
//! key, which commands were begun, what came of them) lies in the [`state::StateDir`].
//!
//! The program is a thin shell around this library, so that tests run agents in their own process.

pub mod connect;
pub mod enrol;
pub mod host;
pub mod identity;
pub mod log;
pub mod run;
pub mod state;
pub mod status;

mod backoff;
mod clock;
mod commands;
mod http;
mod journal;
mod link;
mod verbs;

pub use enrol::{EnrolError, Enrolment, enrol};
pub use host::{Host, Shell};
pub use run::{Ended, Options, RunError, run};
pub use state::StateDir;
pub use verbs::scan_here;

/// Version of this program.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
