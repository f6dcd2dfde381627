//! The server through its real router, with a real database and a held clock.

mod access;
mod events;
mod harness;
mod jobs;
mod requests;
mod session;
mod tokens;
mod users;
