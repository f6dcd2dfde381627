//! The Muster server: see docs/ARCHITECTURE.md for the map.

pub mod agents;
pub mod app;
pub mod boot;
pub mod cli;
pub mod clock;
pub mod config;
pub mod http;
pub mod jobs;
pub mod lifecycle;
pub mod pve;
pub mod reach;
pub mod telemetry;
