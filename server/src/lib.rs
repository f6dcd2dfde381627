//! The Muster server: see docs/ARCHITECTURE.md for the map.

pub mod app;
pub mod clock;
