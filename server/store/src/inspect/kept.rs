//! Rows that housekeeping should have dropped.

use super::{Check, check};

pub(super) const CHECKS: &[Check] = &[
    check!(
        KeptTooLong,
        "audit",
        "a.id AS id, a.action AS name FROM j CROSS JOIN audit a WHERE a.at < j.audit"
    ),
    check!(
        KeptTooLong,
        "jobs",
        "w.id AS id, w.title AS name FROM j CROSS JOIN jobs w WHERE w.finished_at < j.jobs"
    ),
    check!(
        KeptTooLong,
        "job_log",
        "w.id AS id, w.title AS name FROM j CROSS JOIN jobs w WHERE w.finished_at < j.logs ",
        "AND EXISTS (SELECT 1 FROM job_log l WHERE l.job_id = w.id)"
    ),
    check!(
        KeptTooLong,
        "proxmox_discovery_log",
        "d.id AS id, c.name AS name FROM j CROSS JOIN proxmox_discovery_log d ",
        "JOIN proxmox_clusters c ON c.id = d.cluster_id WHERE d.started_at < j.discoveries"
    ),
    // The last event stays, so that numbers go on from it.
    check!(
        KeptTooLong,
        "events",
        "e.subject AS id, e.kind AS name FROM j CROSS JOIN events e WHERE e.at < j.events ",
        "AND e.seq < (SELECT MAX(seq) FROM events)"
    ),
    check!(
        KeptTooLong,
        "idempotency",
        "CAST(NULL AS UUID) AS id, i.key AS name FROM j CROSS JOIN idempotency i WHERE i.started_at < j.answers ",
        "OR (i.status IS NULL AND i.started_at < j.abandoned)"
    ),
    check!(
        KeptTooLong,
        "commands",
        "c.id AS id, c.state AS name FROM j CROSS JOIN commands c WHERE c.over_at < j.commands"
    ),
    check!(
        KeptTooLong,
        "enrolments",
        "e.id AS id, g.name AS name FROM j CROSS JOIN enrolments e JOIN guests g ON g.id = e.guest_id ",
        "WHERE e.expires_at < j.commands"
    ),
    check!(
        KeptTooLong,
        "sessions",
        "s.user_id AS id, u.name AS name FROM j CROSS JOIN sessions s JOIN users u ON u.id = s.user_id ",
        "WHERE s.expires_at < j.ended OR s.seen_at < j.idle"
    ),
    check!(
        KeptTooLong,
        "one_time_links",
        "l.user_id AS id, l.purpose AS name FROM j CROSS JOIN one_time_links l WHERE l.expires_at < j.ended"
    ),
    check!(
        KeptTooLong,
        "sign_in_failures",
        "CAST(NULL AS UUID) AS id, f.address AS name FROM j CROSS JOIN sign_in_failures f WHERE f.last_at < j.idle"
    ),
];
