//! The whole system: a real server, a simulated Proxmox VE, real connections between them.

mod bad_pve;
mod clusters;
mod discovery;
mod exec;
mod harness;
mod install;
mod restored;
mod server_killed;
