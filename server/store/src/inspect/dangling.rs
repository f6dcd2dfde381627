//! Rows that refer to a row that is gone. The databases refuse such rows, but programs that write to a SQLite file without Muster
//! need not ask them to.

use super::{Check, check};

/// One check for a column: `table.column` refers to `parent.id`; `key` is what a row at fault is shown by.
macro_rules! refers {
    ($table:literal, $column:literal, $parent:literal, $key:literal) => {
        check!(
            DanglingReference,
            $table,
            "r.",
            $key,
            " AS id, '",
            $column,
            "' AS name FROM ",
            $table,
            " r WHERE r.",
            $column,
            " IS NOT NULL AND NOT EXISTS (SELECT 1 FROM ",
            $parent,
            " p WHERE p.id = r.",
            $column,
            ")"
        )
    };
}

pub(super) const CHECKS: &[Check] = &[
    refers!("proxmox_nodes", "cluster_id", "proxmox_clusters", "id"),
    refers!("guests", "cluster_id", "proxmox_clusters", "id"),
    refers!("guests", "node_id", "proxmox_nodes", "id"),
    refers!("proxmox_discovery_log", "cluster_id", "proxmox_clusters", "id"),
    refers!("jobs", "cluster_id", "proxmox_clusters", "id"),
    refers!("jobs", "retry_of", "jobs", "id"),
    refers!("job_targets", "job_id", "jobs", "id"),
    refers!("job_targets", "guest_id", "guests", "id"),
    refers!("job_log", "job_id", "jobs", "job_id"),
    refers!("agents", "guest_id", "guests", "id"),
    refers!("enrolments", "guest_id", "guests", "id"),
    refers!("enrolments", "target_id", "job_targets", "id"),
    refers!("commands", "agent_id", "agents", "id"),
    refers!("commands", "target_id", "job_targets", "id"),
    refers!("scans", "guest_id", "guests", "guest_id"),
    refers!("updates", "guest_id", "guests", "guest_id"),
    refers!("guest_locks", "guest_id", "guests", "guest_id"),
    refers!("console_changes", "guest_id", "guests", "guest_id"),
    refers!("sessions", "user_id", "users", "user_id"),
    refers!("one_time_links", "user_id", "users", "user_id"),
    refers!("tokens", "user_id", "users", "id"),
];
