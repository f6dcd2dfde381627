//! Jobs, their targets, commands, enrolments, and who holds them.

use super::{Check, check};

pub(super) const CHECKS: &[Check] = &[
    check!(
        JobEndedWithOpenTargets,
        "jobs",
        "w.id AS id, w.title AS name FROM jobs w WHERE w.state NOT IN ('queued', 'running') AND EXISTS ",
        "(SELECT 1 FROM job_targets t WHERE t.job_id = w.id AND t.state IN ('queued', 'running', 'waiting'))"
    ),
    check!(
        JobWithoutOpenTargets,
        "jobs",
        "w.id AS id, w.title AS name FROM j CROSS JOIN jobs w WHERE w.state IN ('queued', 'running') ",
        "AND (w.lease_until IS NULL OR w.lease_until <= j.settled) AND (w.run_at <= j.settled OR w.run_at > j.soon) ",
        "AND NOT EXISTS ",
        "(SELECT 1 FROM job_targets t WHERE t.job_id = w.id AND t.state IN ('queued', 'running', 'waiting'))"
    ),
    // Jobs wait rightly behind another one with their key, and while all places are taken.
    check!(
        JobNotTaken,
        "jobs",
        "w.id AS id, w.title AS name FROM j CROSS JOIN jobs w WHERE w.state IN ('queued', 'running') ",
        "AND w.lease_until IS NULL AND w.run_at <= j.settled ",
        "AND (SELECT COUNT(*) FROM jobs o WHERE o.state = 'running' AND o.lease_until > j.settled) < j.jobs_at_once ",
        "AND NOT EXISTS (SELECT 1 FROM jobs o WHERE o.concurrency_key = w.concurrency_key AND o.id <> w.id ",
        "AND o.state = 'running')"
    ),
    check!(
        JobLeaseLapsed,
        "jobs",
        "w.id AS id, w.title AS name FROM j CROSS JOIN jobs w WHERE w.state IN ('queued', 'running') ",
        "AND w.lease_until <= j.settled ",
        "AND (SELECT COUNT(*) FROM jobs o WHERE o.state = 'running' AND o.lease_until > j.settled) < j.jobs_at_once"
    ),
    check!(
        JobLeaseOfEnded,
        "jobs",
        "w.id AS id, w.title AS name FROM jobs w WHERE w.state NOT IN ('queued', 'running') ",
        "AND (w.lease_owner IS NOT NULL OR w.lease_until IS NOT NULL)"
    ),
    check!(
        JobEndUnclear,
        "jobs",
        "w.id AS id, w.title AS name FROM jobs w ",
        "WHERE (w.state IN ('queued', 'running')) <> (w.finished_at IS NULL)"
    ),
    check!(
        TargetEndUnclear,
        "job_targets",
        "t.id AS id, t.name AS name FROM job_targets t ",
        "WHERE (t.state IN ('queued', 'running', 'waiting')) <> (t.finished_at IS NULL)"
    ),
    // A job that is awake notices by itself.
    check!(
        TargetOfGoneGuest,
        "job_targets",
        "t.id AS id, t.name AS name FROM j CROSS JOIN jobs w JOIN job_targets t ON t.job_id = w.id ",
        "LEFT JOIN guests g ON g.id = t.guest_id WHERE t.state IN ('queued', 'running', 'waiting') ",
        "AND w.state IN ('queued', 'running') AND w.kind <> 'discover' AND w.lease_until IS NULL AND w.run_at > j.soon ",
        "AND (t.guest_id IS NULL OR g.gone_at IS NOT NULL)"
    ),
    check!(
        CommandForReplacedAgent,
        "commands",
        "c.id AS id, g.name AS name FROM j CROSS JOIN commands c JOIN agents a ON a.id = c.agent_id ",
        "JOIN guests g ON g.id = a.guest_id WHERE c.state IN ('pending', 'leased', 'acked') ",
        "AND (c.issued_at < a.enrolled_at OR (a.quarantine IS NOT NULL AND c.issued_at <= j.settled))"
    ),
    check!(
        CommandOverdue,
        "commands",
        "c.id AS id, g.name AS name FROM j CROSS JOIN commands c JOIN agents a ON a.id = c.agent_id ",
        "JOIN guests g ON g.id = a.guest_id WHERE (c.state IN ('pending', 'leased') AND c.expires_at <= j.settled ",
        "AND (c.leased_until IS NULL OR c.leased_until <= j.settled)) ",
        "OR (c.state = 'acked' AND c.answer_until <= j.settled)"
    ),
    check!(
        CommandOfEndedWork,
        "commands",
        "c.id AS id, t.name AS name FROM commands c JOIN job_targets t ON t.id = c.target_id ",
        "WHERE c.state IN ('pending', 'leased', 'acked') AND t.state NOT IN ('queued', 'running', 'waiting')"
    ),
    check!(
        CommandEndUnclear,
        "commands",
        "c.id AS id, g.name AS name FROM commands c JOIN agents a ON a.id = c.agent_id JOIN guests g ON g.id = a.guest_id ",
        "WHERE (c.state IN ('pending', 'leased', 'acked')) <> (c.over_at IS NULL) ",
        "OR (c.state <> 'leased' AND c.leased_until IS NOT NULL)"
    ),
    check!(
        ServerLeaseLapsed,
        "server_lease",
        "s.holder AS id, s.host AS name FROM j CROSS JOIN server_lease s WHERE s.expires_at <= j.settled"
    ),
    check!(
        EnrolmentOfEndedWork,
        "enrolments",
        "e.id AS id, t.name AS name FROM j CROSS JOIN enrolments e JOIN job_targets t ON t.id = e.target_id ",
        "WHERE e.used_at IS NULL AND e.expires_at > j.now AND t.state NOT IN ('queued', 'running', 'waiting')"
    ),
    // One that enrolled by another line is waited for a little longer.
    check!(
        EnrolmentExpired,
        "enrolments",
        "e.id AS id, t.name AS name FROM j CROSS JOIN enrolments e JOIN job_targets t ON t.id = e.target_id ",
        "JOIN jobs w ON w.id = t.job_id WHERE e.used_at IS NULL AND e.expires_at <= j.settled ",
        "AND t.state IN ('queued', 'running', 'waiting') AND w.lease_until IS NULL AND w.run_at > j.soon ",
        "AND NOT EXISTS (SELECT 1 FROM agents a WHERE a.guest_id = e.guest_id AND a.enrolled_at >= w.created_at)"
    ),
];
