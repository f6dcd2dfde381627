//! The whole system: a real server, a simulated Proxmox VE, real connections between them.

mod agent_killed;
mod bad_pve;
mod clusters;
mod copied_agent;
mod discovery;
mod enrolment;
mod exec;
mod harness;
mod install;
mod restored;
mod server_killed;
