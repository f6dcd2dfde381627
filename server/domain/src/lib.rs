//! The rules of Muster, pure: no I/O, no clock, no randomness. Whatever needs the time or an id is given one.

pub mod access;
pub mod actions;
pub mod agent;
pub mod command;
pub mod discovery;
pub mod eligible;
pub mod fleet;
pub mod health;
pub mod id;
pub mod inconsistency;
pub mod install;
pub mod job;
pub mod reach;
pub mod rights;
pub mod rollup;
pub mod sign_in;
pub mod time;

pub use id::*;
pub use time::Timestamp;
