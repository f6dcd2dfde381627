-- Work in guests: jobs with their targets and logs, agents with their enrolments and commands, and what scans found.
CREATE TABLE jobs (
    id               BLOB PRIMARY KEY,
    kind             TEXT NOT NULL,
    title            TEXT NOT NULL,
    work             TEXT NOT NULL,
    state            TEXT NOT NULL CHECK (state IN ('queued', 'running', 'succeeded', 'partly', 'failed', 'cancelled')),
    cluster_id       BLOB REFERENCES proxmox_clusters (id) ON DELETE SET NULL,
    -- Of the jobs with one key at most one runs.
    concurrency_key  TEXT,
    -- Not to be claimed before; a running job without a lease waits for this moment or for a kick.
    run_at           INTEGER NOT NULL,
    attempt          INTEGER NOT NULL,
    -- How often its lease ran out under a server that died.
    interruptions    INTEGER NOT NULL,
    lease_owner      BLOB,
    lease_until      INTEGER,
    cancel_requested INTEGER NOT NULL,
    reason_code      TEXT,
    reason_detail    TEXT,
    retry_of         BLOB REFERENCES jobs (id) ON DELETE SET NULL,
    created_at       INTEGER NOT NULL,
    created_by       TEXT NOT NULL,
    started_at       INTEGER,
    finished_at      INTEGER
) STRICT;
CREATE UNIQUE INDEX jobs_one_running_per_key ON jobs (concurrency_key) WHERE state = 'running';
CREATE INDEX jobs_due ON jobs (run_at) WHERE state IN ('queued', 'running');
CREATE INDEX jobs_finished ON jobs (finished_at);

CREATE TABLE job_targets (
    id            BLOB PRIMARY KEY,
    job_id        BLOB NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    place         INTEGER NOT NULL,
    guest_id      BLOB REFERENCES guests (id) ON DELETE SET NULL,
    name          TEXT NOT NULL,
    state         TEXT NOT NULL
        CHECK (state IN ('queued', 'running', 'waiting', 'succeeded', 'failed', 'skipped', 'cancelled')),
    step          TEXT,
    reason_code   TEXT,
    reason_detail TEXT,
    attempt       INTEGER NOT NULL,
    -- What a resumed job needs to go on instead of doing a step again.
    memo          TEXT,
    result        TEXT,
    started_at    INTEGER,
    finished_at   INTEGER,
    UNIQUE (job_id, place)
) STRICT;
CREATE INDEX job_targets_state ON job_targets (job_id, state);
CREATE INDEX job_targets_guest ON job_targets (guest_id);

CREATE TABLE job_log (
    job_id    BLOB NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    n         INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    level     TEXT NOT NULL CHECK (level IN ('info', 'warning', 'error')),
    target_id BLOB,
    text      TEXT NOT NULL,
    PRIMARY KEY (job_id, n)
) STRICT;

-- One agent per guest; its state as a person sees it stands in the guest's row.
CREATE TABLE agents (
    id          BLOB PRIMARY KEY,
    guest_id    BLOB NOT NULL UNIQUE REFERENCES guests (id) ON DELETE CASCADE,
    public_key  BLOB NOT NULL,
    version     TEXT NOT NULL,
    facts       TEXT NOT NULL,
    -- Hash of the machine id: equal in copied guests.
    machine     TEXT,
    -- The number given with the last welcome: a copied identity presents an old one.
    counter     INTEGER NOT NULL,
    generation  INTEGER NOT NULL,
    -- Why it may not connect.
    quarantine  TEXT,
    enrolled_at INTEGER NOT NULL
) STRICT;
CREATE INDEX agents_machine ON agents (machine);

CREATE TABLE enrolments (
    id         BLOB PRIMARY KEY,
    guest_id   BLOB NOT NULL REFERENCES guests (id) ON DELETE CASCADE,
    target_id  BLOB REFERENCES job_targets (id) ON DELETE SET NULL,
    token_hash BLOB NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER
) STRICT;
CREATE INDEX enrolments_guest ON enrolments (guest_id);
CREATE INDEX enrolments_target ON enrolments (target_id);

CREATE TABLE commands (
    id           BLOB PRIMARY KEY,
    agent_id     BLOB NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
    target_id    BLOB REFERENCES job_targets (id) ON DELETE SET NULL,
    -- The exact text that was signed, and the signature.
    payload      TEXT NOT NULL,
    signature    TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('pending', 'leased', 'acked', 'answered', 'expired', 'cancelled')),
    issued_at    INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    -- An answer that comes later is not waited for.
    answer_until INTEGER NOT NULL,
    leased_until INTEGER,
    over_at      INTEGER,
    outcome      TEXT
) STRICT;
CREATE INDEX commands_open ON commands (agent_id, id) WHERE state IN ('pending', 'leased', 'acked');
CREATE INDEX commands_target ON commands (target_id);

-- What the last good scan of each guest found.
CREATE TABLE scans (
    guest_id   BLOB PRIMARY KEY REFERENCES guests (id) ON DELETE CASCADE,
    scanned_at INTEGER NOT NULL,
    transport  TEXT NOT NULL,
    digest     TEXT NOT NULL
) STRICT;

CREATE TABLE updates (
    guest_id     BLOB NOT NULL REFERENCES guests (id) ON DELETE CASCADE,
    source       TEXT NOT NULL,
    name         TEXT NOT NULL,
    arch         TEXT NOT NULL,
    from_version TEXT,
    to_version   TEXT NOT NULL,
    origin       TEXT,
    security     INTEGER NOT NULL,
    evidence     TEXT,
    held         INTEGER NOT NULL,
    size         INTEGER,
    PRIMARY KEY (guest_id, source, name, arch)
) STRICT;
