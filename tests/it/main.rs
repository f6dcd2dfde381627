//! The whole system: a real server, a simulated Proxmox VE, real connections between them.

mod clusters;
mod discovery;
mod exec;
mod harness;
mod install;
