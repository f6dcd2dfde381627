//! The console of a container as a way to run commands in it.
//!
//! PVE has no call that runs a command in a container. It has a terminal for people: a WebSocket to a shell in the
//! container, shared by everybody who opens it. [`Client::lxc_console`](crate::Client::lxc_console) looks whether it
//! may be used, waits for the shell's prompt and types one line, which turns the shell into a server for further lines
//! without echo and prompt; see [`lines`]. Each answer stands between markers that nobody else can produce, files go
//! in and out as base64 with their SHA-256, and anything unexpected ends the session before more is typed.

mod driver;
mod error;
mod job;
mod lines;
mod nonce;
mod open;
mod opening;
mod recognise;
#[cfg(test)]
mod replay;
mod seat;
mod serving;
mod session;
mod socket;

pub use error::ConsoleError;
pub use job::Job;
pub(crate) use seat::Consoles;
pub use serving::Printed;
pub use session::Session;
