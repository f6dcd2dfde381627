//! The scripts run under real shells with real tools, and their parsers on what came out.

mod apt_lab;
mod file_server;
mod guest_root;
mod shell;

mod facts;
mod install;
mod manager_root;
mod node;
mod rpm_lab;
mod scan;
mod scan_apk;
mod scan_dnf;
mod scan_pacman;
mod scan_zypper;
mod version;
