-- What Muster knows of Proxmox VE: clusters, their nodes, their guests, and what each discovery found.
CREATE TABLE proxmox_clusters (
    id                 BLOB PRIMARY KEY,
    name               TEXT NOT NULL,
    endpoints          TEXT NOT NULL,
    token_id           TEXT NOT NULL,
    tls_mode           TEXT NOT NULL CHECK (tls_mode IN ('system', 'pinned', 'cluster_ca')),
    -- The certificate somebody accepted, and the one of every node as the cluster itself tells it (object, node to fingerprint).
    accepted           TEXT,
    fingerprints       TEXT NOT NULL,
    ca_pem             TEXT,
    state_seconds      INTEGER NOT NULL,
    detail_seconds     INTEGER NOT NULL,
    paused             INTEGER NOT NULL,
    version            TEXT,
    release            TEXT,
    cluster_name       TEXT,
    quorate            INTEGER,
    -- The token's rights as PVE last told them (object, path to privileges).
    permissions        TEXT,
    last_discovered_at INTEGER,
    error_code         TEXT,
    error_detail       TEXT,
    error_since        INTEGER,
    created_at         INTEGER NOT NULL,
    updated_at         INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX proxmox_clusters_name ON proxmox_clusters (lower(name));

CREATE TABLE proxmox_nodes (
    id                    BLOB PRIMARY KEY,
    cluster_id            BLOB NOT NULL REFERENCES proxmox_clusters (id) ON DELETE CASCADE,
    name                  TEXT NOT NULL,
    status                TEXT NOT NULL CHECK (status IN ('online', 'offline', 'unknown')),
    stale_since           INTEGER,
    address               TEXT,
    version               TEXT,
    cpus                  INTEGER,
    memory_total          INTEGER,
    updates_state         TEXT NOT NULL CHECK (updates_state IN ('unknown', 'fresh', 'stale', 'failed', 'unsupported')),
    updates_total         INTEGER,
    updates_security      INTEGER,
    updates_reason        TEXT,
    -- Whether POST /nodes/{node}/lxc/{vmid}/exec exists, and for which version of the node that was found out.
    exec_endpoint         TEXT NOT NULL CHECK (exec_endpoint IN ('unknown', 'works', 'missing')),
    exec_endpoint_version TEXT,
    details_at            INTEGER,
    first_seen_at         INTEGER NOT NULL,
    gone_at               INTEGER,
    UNIQUE (cluster_id, name)
) STRICT;

CREATE TABLE guests (
    id                 BLOB PRIMARY KEY,
    cluster_id         BLOB NOT NULL REFERENCES proxmox_clusters (id) ON DELETE CASCADE,
    node_id            BLOB NOT NULL REFERENCES proxmox_nodes (id) ON DELETE CASCADE,
    vmid               INTEGER NOT NULL,
    kind               TEXT NOT NULL CHECK (kind IN ('lxc', 'qemu')),
    name               TEXT NOT NULL,
    status             TEXT NOT NULL CHECK (status IN ('running', 'stopped', 'paused', 'unknown')),
    stale_since        INTEGER,
    lock               TEXT,
    template           INTEGER NOT NULL,
    -- As PVE writes them: separated by semicolons.
    tags               TEXT NOT NULL,
    pool               TEXT,
    system_id          TEXT,
    system_name        TEXT,
    -- All addresses, the best one first, separated by spaces.
    addresses          TEXT NOT NULL,
    cpus               REAL,
    memory_max         INTEGER,
    disk_max           INTEGER,
    unprivileged       INTEGER,
    cmode              TEXT,
    has_mounts         INTEGER,
    backup             TEXT NOT NULL CHECK (backup IN ('covered', 'none', 'unknown')),
    config_digest      TEXT,
    details_at         INTEGER,
    agent_state        TEXT NOT NULL DEFAULT 'none'
        CHECK (agent_state IN ('none', 'enrolling', 'online', 'late', 'offline', 'quarantined')),
    agent_version      TEXT,
    agent_seen_at      INTEGER,
    agent_reason       TEXT,
    updates_state      TEXT NOT NULL DEFAULT 'unknown'
        CHECK (updates_state IN ('unknown', 'fresh', 'stale', 'failed', 'unsupported')),
    updates_total      INTEGER,
    updates_security   INTEGER,
    updates_scanned_at INTEGER,
    updates_reason     TEXT,
    reboot_required    INTEGER,
    reach_best         TEXT,
    reach_needs        TEXT,
    first_seen_at      INTEGER NOT NULL,
    gone_at            INTEGER
) STRICT;
-- A number may be used again after its guest is gone.
CREATE UNIQUE INDEX guests_vmid ON guests (cluster_id, vmid) WHERE gone_at IS NULL;
CREATE INDEX guests_node ON guests (node_id);
CREATE INDEX guests_name ON guests (name, id) WHERE gone_at IS NULL;

CREATE TABLE proxmox_discovery_log (
    id           BLOB PRIMARY KEY,
    cluster_id   BLOB NOT NULL REFERENCES proxmox_clusters (id) ON DELETE CASCADE,
    started_at   INTEGER NOT NULL,
    duration_ms  INTEGER NOT NULL,
    started_by   TEXT NOT NULL CHECK (started_by IN ('request', 'schedule', 'added')),
    nodes_found  INTEGER NOT NULL,
    guests_found INTEGER NOT NULL,
    appeared     TEXT NOT NULL,
    changed      TEXT NOT NULL,
    gone         TEXT NOT NULL,
    errors       TEXT NOT NULL
) STRICT;
CREATE INDEX proxmox_discovery_log_cluster ON proxmox_discovery_log (cluster_id, id);
