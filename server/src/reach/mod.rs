//! The ways into guests that lead through Proxmox VE. Which way is taken stands in the domain; each way has a file here.

mod exec_endpoint;

pub use exec_endpoint::{Output, run_in_container};
