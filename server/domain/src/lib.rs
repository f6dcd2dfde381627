//! The rules of Muster, pure: no I/O, no clock, no randomness. Whatever needs the time or an id is given one.

pub mod access;
pub mod id;
pub mod time;

pub use id::*;
pub use time::Timestamp;
