-- Work in guests: jobs with their targets and logs, agents with their enrolments and commands, and what scans found.
CREATE TABLE jobs (
    id               UUID PRIMARY KEY,
    kind             TEXT NOT NULL,
    title            TEXT NOT NULL,
    work             JSONB NOT NULL,
    state            TEXT NOT NULL CHECK (state IN ('queued', 'running', 'succeeded', 'partly', 'failed', 'cancelled')),
    cluster_id       UUID REFERENCES proxmox_clusters (id) ON DELETE SET NULL,
    -- Of the jobs with one key at most one runs.
    concurrency_key  TEXT,
    -- Not to be claimed before; a running job without a lease waits for this moment or for a kick.
    run_at           BIGINT NOT NULL,
    attempt          BIGINT NOT NULL,
    -- How often its lease ran out under a server that died.
    interruptions    BIGINT NOT NULL,
    lease_owner      UUID,
    lease_until      BIGINT,
    cancel_requested BOOLEAN NOT NULL,
    reason_code      TEXT,
    reason_detail    TEXT,
    retry_of         UUID REFERENCES jobs (id) ON DELETE SET NULL,
    created_at       BIGINT NOT NULL,
    created_by       TEXT NOT NULL,
    started_at       BIGINT,
    finished_at      BIGINT
);
CREATE UNIQUE INDEX jobs_one_running_per_key ON jobs (concurrency_key) WHERE state = 'running';
CREATE INDEX jobs_due ON jobs (run_at) WHERE state IN ('queued', 'running');
CREATE INDEX jobs_finished ON jobs (finished_at);

CREATE TABLE job_targets (
    id            UUID PRIMARY KEY,
    job_id        UUID NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    place         BIGINT NOT NULL,
    guest_id      UUID REFERENCES guests (id) ON DELETE SET NULL,
    name          TEXT NOT NULL,
    state         TEXT NOT NULL
        CHECK (state IN ('queued', 'running', 'waiting', 'succeeded', 'failed', 'skipped', 'cancelled')),
    step          TEXT,
    reason_code   TEXT,
    reason_detail TEXT,
    attempt       BIGINT NOT NULL,
    -- What a resumed job needs to go on instead of doing a step again.
    memo          JSONB,
    result        JSONB,
    started_at    BIGINT,
    finished_at   BIGINT,
    UNIQUE (job_id, place)
);
CREATE INDEX job_targets_state ON job_targets (job_id, state);
CREATE INDEX job_targets_guest ON job_targets (guest_id);

CREATE TABLE job_log (
    job_id    UUID NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    n         BIGINT NOT NULL,
    at        BIGINT NOT NULL,
    level     TEXT NOT NULL CHECK (level IN ('info', 'warning', 'error')),
    target_id UUID,
    text      TEXT NOT NULL,
    PRIMARY KEY (job_id, n)
);

-- One agent per guest; its state as a person sees it stands in the guest's row.
CREATE TABLE agents (
    id          UUID PRIMARY KEY,
    guest_id    UUID NOT NULL UNIQUE REFERENCES guests (id) ON DELETE CASCADE,
    public_key  BYTEA NOT NULL,
    version     TEXT NOT NULL,
    facts       JSONB NOT NULL,
    -- Hash of the machine id: equal in copied guests.
    machine     TEXT,
    -- The number given with the last welcome: a copied identity presents an old one.
    counter     BIGINT NOT NULL,
    generation  BIGINT NOT NULL,
    -- Why it may not connect.
    quarantine  TEXT,
    enrolled_at BIGINT NOT NULL
);
CREATE INDEX agents_machine ON agents (machine);

CREATE TABLE enrolments (
    id         UUID PRIMARY KEY,
    guest_id   UUID NOT NULL REFERENCES guests (id) ON DELETE CASCADE,
    target_id  UUID REFERENCES job_targets (id) ON DELETE SET NULL,
    token_hash BYTEA NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT
);
CREATE INDEX enrolments_guest ON enrolments (guest_id);
CREATE INDEX enrolments_target ON enrolments (target_id);

CREATE TABLE commands (
    id           UUID PRIMARY KEY,
    agent_id     UUID NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
    target_id    UUID REFERENCES job_targets (id) ON DELETE SET NULL,
    -- The exact text that was signed, and the signature.
    payload      TEXT NOT NULL,
    signature    TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('pending', 'leased', 'acked', 'answered', 'expired', 'cancelled')),
    issued_at    BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    -- An answer that comes later is not waited for.
    answer_until BIGINT NOT NULL,
    leased_until BIGINT,
    over_at      BIGINT,
    outcome      TEXT
);
CREATE INDEX commands_open ON commands (agent_id, id) WHERE state IN ('pending', 'leased', 'acked');
CREATE INDEX commands_target ON commands (target_id);

-- What the last good scan of each guest found.
CREATE TABLE scans (
    guest_id   UUID PRIMARY KEY REFERENCES guests (id) ON DELETE CASCADE,
    scanned_at BIGINT NOT NULL,
    transport  TEXT NOT NULL,
    digest     TEXT NOT NULL
);

CREATE TABLE updates (
    guest_id     UUID NOT NULL REFERENCES guests (id) ON DELETE CASCADE,
    source       TEXT COLLATE "C" NOT NULL,
    name         TEXT COLLATE "C" NOT NULL,
    arch         TEXT COLLATE "C" NOT NULL,
    from_version TEXT,
    to_version   TEXT NOT NULL,
    origin       TEXT,
    security     BOOLEAN NOT NULL,
    evidence     TEXT,
    held         BOOLEAN NOT NULL,
    size         BIGINT,
    PRIMARY KEY (guest_id, source, name, arch)
);
