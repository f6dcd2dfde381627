//! The scripts run under real shells with real tools, and their parsers on what came out.

mod apt_lab;
mod file_server;
mod guest_root;
mod shell;

mod facts;
mod install;
mod node;
mod scan;
