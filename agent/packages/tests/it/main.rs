//! The scripts run under real shells with real tools, and their parsers on what came out.

mod apt_lab;
mod shell;

mod facts;
mod scan;
