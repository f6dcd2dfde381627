//! The server through its real router, with a real database and a held clock.

mod access;
mod backup;
mod commands;
mod doctor;
mod events;
mod harness;
mod jobs;
mod program;
mod requests;
mod secrets;
mod session;
mod tokens;
mod users;
