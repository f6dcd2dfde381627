//! What Muster asks of a guest: POSIX `sh` scripts, and the parsers of what they print.
//!
//! A verb is a script and a parser that belong together: [`scan`] reads what could be updated, [`facts`] looks at the
//! host. The script runs wherever a shell does: started by the agent, typed into a console, sent through `pct exec`. It
//! assumes neither bash nor curl nor Python. The parser gets the bytes that came back. Because those bytes may have passed
//! a noisy terminal or may be cut off, every answer is a [`frame`] that proves its own completeness: what is not provably
//! whole is an error, never "no updates".
//!
//! [`install`] renders the scripts and pasted lines that bring an agent into a guest.
//!
//! This crate does no I/O.

pub mod facts;
pub mod frame;
pub mod install;
pub mod scan;
pub mod version;

pub use facts::Facts;
pub use frame::{Frame, FrameError, Section};
pub use scan::{AvailableUpdate, Manager, PackageVersion, ScanError, ScanReport, Severity};
