//! What all measurements share: the figures they come to, and a server of its own process to measure.

pub(crate) mod figures;
pub(crate) mod server;
