//! The simulator over the wire: what it answers, and what runs in its guests.

mod access;
mod client;
mod ctl;
mod faults;
mod guests;
mod operations;
mod recordings;
mod shape;
mod wire;
mod with_client;
