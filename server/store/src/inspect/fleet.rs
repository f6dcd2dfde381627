//! Guests beside their nodes, agents and updates; secrets beside their owners.

use super::{Check, check};

pub(super) const CHECKS: &[Check] = &[
    // An open target of an installation looks after its guest itself.
    check!(
        EnrollingInVain,
        "guests",
        "g.id AS id, g.name AS name FROM j CROSS JOIN guests g WHERE g.agent_state = 'enrolling' AND g.gone_at IS NULL ",
        "AND NOT EXISTS (SELECT 1 FROM enrolments e WHERE e.guest_id = g.id AND e.used_at IS NULL ",
        "AND e.expires_at > j.settled) ",
        "AND NOT EXISTS (SELECT 1 FROM agents a WHERE a.guest_id = g.id AND a.enrolled_at > j.settled) ",
        "AND NOT EXISTS (SELECT 1 FROM job_targets t JOIN jobs w ON w.id = t.job_id WHERE t.guest_id = g.id ",
        "AND w.kind = 'install' AND t.state IN ('queued', 'running', 'waiting'))"
    ),
    check!(
        AgentMissing,
        "guests",
        "g.id AS id, g.name AS name FROM guests g ",
        "WHERE g.agent_state IN ('online', 'late', 'offline', 'quarantined') ",
        "AND NOT EXISTS (SELECT 1 FROM agents a WHERE a.guest_id = g.id)"
    ),
    check!(
        AgentUnmentioned,
        "agents",
        "a.id AS id, g.name AS name FROM agents a JOIN guests g ON g.id = a.guest_id WHERE g.agent_state = 'none'"
    ),
    check!(
        NodeOfOtherCluster,
        "guests",
        "g.id AS id, g.name AS name FROM guests g JOIN proxmox_nodes n ON n.id = g.node_id ",
        "WHERE n.cluster_id <> g.cluster_id"
    ),
    check!(
        UpdatesMiscounted,
        "guests",
        "g.id AS id, g.name AS name FROM guests g LEFT JOIN (SELECT guest_id, COUNT(*) AS total, ",
        "COUNT(*) FILTER (WHERE security) AS security FROM updates GROUP BY guest_id) u ON u.guest_id = g.id ",
        "WHERE COALESCE(g.updates_total, 0) <> COALESCE(u.total, 0) ",
        "OR COALESCE(g.updates_security, 0) <> COALESCE(u.security, 0)"
    ),
    check!(
        ScanContradicted,
        "guests",
        "g.id AS id, g.name AS name FROM guests g WHERE (g.updates_state IN ('fresh', 'stale')) <> ",
        "(g.updates_total IS NOT NULL AND EXISTS (SELECT 1 FROM scans s WHERE s.guest_id = g.id))"
    ),
    check!(
        SecretWithoutOwner,
        "secrets",
        "s.owner AS id, s.purpose AS name FROM j CROSS JOIN secrets s WHERE s.owner <> j.server ",
        "AND NOT EXISTS (SELECT 1 FROM proxmox_clusters c WHERE c.id = s.owner)"
    ),
    check!(
        ClusterWithoutSecret,
        "proxmox_clusters",
        "c.id AS id, c.name AS name FROM proxmox_clusters c ",
        "WHERE NOT EXISTS (SELECT 1 FROM secrets s WHERE s.owner = c.id AND s.purpose = 'pve_token')"
    ),
    check!(
        ServerKeyMissing,
        "secrets",
        "j.server AS id, 'server_identity' AS name FROM j WHERE EXISTS (SELECT 1 FROM agents) ",
        "AND NOT EXISTS (SELECT 1 FROM secrets s WHERE s.owner = j.server AND s.purpose = 'server_identity')"
    ),
];
