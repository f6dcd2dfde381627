//! The simulator over the wire: what it answers, and what runs in its guests.

mod access;
mod client;
mod consoles;
mod ctl;
mod faults;
mod guest_agent;
mod guests;
mod homelab;
mod operations;
mod packages;
mod recorded_consoles;
mod recordings;
mod shape;
mod snapshots;
mod terminal;
mod tickets;
mod wire;
mod with_client;
