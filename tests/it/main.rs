//! The whole system: a real server, a simulated Proxmox VE, real connections between them.

mod agent_killed;
mod agent_life;
mod bad_pve;
mod clocks;
mod clusters;
mod copied_agent;
mod discovery;
mod enrolment;
mod exec;
mod harness;
mod install;
mod install_through_pve;
mod proxy;
mod restored;
mod scans;
mod server_killed;
mod streams;
