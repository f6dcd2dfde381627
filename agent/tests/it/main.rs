//! Agents against a server of the tests' own that speaks the protocol over real sockets.

mod guest;
mod server;

mod commands;
mod crashes;
mod enrolment;
mod host;
mod links;
mod program;
mod tls;
