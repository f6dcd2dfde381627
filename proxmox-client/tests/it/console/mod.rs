//! Commands at a container's console: a real shell on a real terminal, over TLS and WebSocket.

mod beside_people;
mod commands;
mod connections;
mod lab;
mod refusals;
mod shell;
