-- What Muster knows of Proxmox VE: clusters, their nodes, their guests, and what each discovery found.
CREATE TABLE proxmox_clusters (
    id                 UUID PRIMARY KEY,
    name               TEXT COLLATE "C" NOT NULL,
    endpoints          JSONB NOT NULL,
    token_id           TEXT NOT NULL,
    tls_mode           TEXT NOT NULL CHECK (tls_mode IN ('system', 'pinned', 'cluster_ca')),
    -- The certificate somebody accepted, and the one of every node as the cluster itself tells it (object, node to fingerprint).
    accepted           TEXT,
    fingerprints       JSONB NOT NULL,
    ca_pem             TEXT,
    state_seconds      BIGINT NOT NULL,
    detail_seconds     BIGINT NOT NULL,
    paused             BOOLEAN NOT NULL,
    version            TEXT,
    release            TEXT,
    cluster_name       TEXT,
    quorate            BOOLEAN,
    -- The token's rights as PVE last told them (object, path to privileges).
    permissions        JSONB,
    last_discovered_at BIGINT,
    error_code         TEXT,
    error_detail       TEXT,
    error_since        BIGINT,
    created_at         BIGINT NOT NULL,
    updated_at         BIGINT NOT NULL
);
CREATE UNIQUE INDEX proxmox_clusters_name ON proxmox_clusters (lower(name));

CREATE TABLE proxmox_nodes (
    id                    UUID PRIMARY KEY,
    cluster_id            UUID NOT NULL REFERENCES proxmox_clusters (id) ON DELETE CASCADE,
    name                  TEXT COLLATE "C" NOT NULL,
    status                TEXT NOT NULL CHECK (status IN ('online', 'offline', 'unknown')),
    stale_since           BIGINT,
    address               TEXT,
    version               TEXT,
    cpus                  BIGINT,
    memory_total          BIGINT,
    updates_state         TEXT NOT NULL CHECK (updates_state IN ('unknown', 'fresh', 'stale', 'failed', 'unsupported')),
    updates_total         BIGINT,
    updates_security      BIGINT,
    updates_reason        TEXT,
    -- Whether POST /nodes/{node}/lxc/{vmid}/exec exists, and for which version of the node that was found out.
    exec_endpoint         TEXT NOT NULL CHECK (exec_endpoint IN ('unknown', 'works', 'missing')),
    exec_endpoint_version TEXT,
    details_at            BIGINT,
    first_seen_at         BIGINT NOT NULL,
    gone_at               BIGINT,
    UNIQUE (cluster_id, name)
);

CREATE TABLE guests (
    id                 UUID PRIMARY KEY,
    cluster_id         UUID NOT NULL REFERENCES proxmox_clusters (id) ON DELETE CASCADE,
    node_id            UUID NOT NULL REFERENCES proxmox_nodes (id) ON DELETE CASCADE,
    vmid               BIGINT NOT NULL,
    kind               TEXT NOT NULL CHECK (kind IN ('lxc', 'qemu')),
    name               TEXT COLLATE "C" NOT NULL,
    status             TEXT NOT NULL CHECK (status IN ('running', 'stopped', 'paused', 'unknown')),
    stale_since        BIGINT,
    lock               TEXT,
    template           BOOLEAN NOT NULL,
    -- As PVE writes them: separated by semicolons.
    tags               TEXT NOT NULL,
    pool               TEXT,
    system_id          TEXT,
    system_name        TEXT,
    -- All addresses, the best one first, separated by spaces.
    addresses          TEXT NOT NULL,
    cpus               DOUBLE PRECISION,
    memory_max         BIGINT,
    disk_max           BIGINT,
    unprivileged       BOOLEAN,
    cmode              TEXT,
    has_mounts         BOOLEAN,
    backup             TEXT NOT NULL CHECK (backup IN ('covered', 'none', 'unknown')),
    config_digest      TEXT,
    details_at         BIGINT,
    agent_state        TEXT NOT NULL DEFAULT 'none'
        CHECK (agent_state IN ('none', 'enrolling', 'online', 'late', 'offline', 'quarantined')),
    agent_version      TEXT,
    agent_seen_at      BIGINT,
    agent_reason       TEXT,
    updates_state      TEXT NOT NULL DEFAULT 'unknown'
        CHECK (updates_state IN ('unknown', 'fresh', 'stale', 'failed', 'unsupported')),
    updates_total      BIGINT,
    updates_security   BIGINT,
    updates_scanned_at BIGINT,
    updates_reason     TEXT,
    reboot_required    BOOLEAN,
    reach_best         TEXT,
    reach_needs        TEXT,
    first_seen_at      BIGINT NOT NULL,
    gone_at            BIGINT
);
-- A number may be used again after its guest is gone.
CREATE UNIQUE INDEX guests_vmid ON guests (cluster_id, vmid) WHERE gone_at IS NULL;
CREATE INDEX guests_node ON guests (node_id);
CREATE INDEX guests_name ON guests (name, id) WHERE gone_at IS NULL;

CREATE TABLE proxmox_discovery_log (
    id           UUID PRIMARY KEY,
    cluster_id   UUID NOT NULL REFERENCES proxmox_clusters (id) ON DELETE CASCADE,
    started_at   BIGINT NOT NULL,
    duration_ms  BIGINT NOT NULL,
    started_by   TEXT NOT NULL CHECK (started_by IN ('request', 'schedule', 'added')),
    nodes_found  BIGINT NOT NULL,
    guests_found BIGINT NOT NULL,
    appeared     JSONB NOT NULL,
    changed      JSONB NOT NULL,
    gone         JSONB NOT NULL,
    errors       JSONB NOT NULL
);
CREATE INDEX proxmox_discovery_log_cluster ON proxmox_discovery_log (cluster_id, id);
