-- What every part of Muster stands on. Ids are UUIDs, times microseconds since 1970.
CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value JSONB NOT NULL
);

-- Small facts for whoever listens; seq grows in the order of commits.
CREATE TABLE events (
    seq     BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      BIGINT NOT NULL,
    kind    TEXT NOT NULL,
    subject UUID,
    facts   JSONB NOT NULL
);
CREATE INDEX events_at ON events (at);

-- Who did what, on what, with which result.
CREATE TABLE audit (
    id          UUID PRIMARY KEY,
    at          BIGINT NOT NULL,
    actor_kind  TEXT NOT NULL CHECK (actor_kind IN ('user', 'token', 'agent', 'system', 'command_line')),
    actor_id    UUID,
    actor_name  TEXT NOT NULL,
    action      TEXT NOT NULL,
    target_kind TEXT NOT NULL,
    target_id   UUID,
    target_name TEXT NOT NULL,
    detail      JSONB NOT NULL,
    request_id  UUID
);
CREATE INDEX audit_at ON audit (at);

-- Sealed under a key that is not in the database; key_id says which one.
CREATE TABLE secrets (
    owner   UUID NOT NULL,
    purpose TEXT NOT NULL,
    key_id  TEXT NOT NULL,
    sealed  BYTEA NOT NULL,
    PRIMARY KEY (owner, purpose)
);

-- The one server process that is active.
CREATE TABLE server_lease (
    name       TEXT PRIMARY KEY,
    holder     UUID NOT NULL,
    host       TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE TABLE users (
    id            UUID PRIMARY KEY,
    name          TEXT NOT NULL,
    role          TEXT NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    password_hash TEXT,
    created_at    BIGINT NOT NULL,
    signed_in_at  BIGINT
);
CREATE UNIQUE INDEX users_name ON users (lower(name));

-- Signed-in browsers. The cookie holds the secret, the table its SHA-256.
CREATE TABLE sessions (
    hash       BYTEA PRIMARY KEY,
    user_id    UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);

-- Links that work once: to set Muster up, or to sign one person in.
CREATE TABLE one_time_links (
    hash       BYTEA PRIMARY KEY,
    purpose    TEXT NOT NULL CHECK (purpose IN ('setup', 'sign_in')),
    user_id    UUID REFERENCES users (id) ON DELETE CASCADE,
    expires_at BIGINT NOT NULL
);

-- Failed sign-ins by the hash of the name and by address; who fails often waits.
CREATE TABLE sign_in_failures (
    name          TEXT NOT NULL,
    address       TEXT NOT NULL,
    failures      BIGINT NOT NULL,
    last_at       BIGINT NOT NULL,
    blocked_until BIGINT NOT NULL,
    PRIMARY KEY (name, address)
);

-- API tokens. The caller holds the secret, the table its SHA-256.
CREATE TABLE tokens (
    id           UUID PRIMARY KEY,
    name         TEXT NOT NULL,
    role         TEXT NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    user_id      UUID REFERENCES users (id) ON DELETE CASCADE,
    hash         BYTEA NOT NULL,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT,
    last_used_at BIGINT
);

-- Answers of requests that carried an Idempotency-Key, sealed, until they are given again. status is null while the
-- first of them is still at work.
CREATE TABLE idempotency (
    caller      TEXT NOT NULL,
    key         TEXT NOT NULL,
    fingerprint BYTEA NOT NULL,
    started_at  BIGINT NOT NULL,
    status      BIGINT,
    key_id      TEXT,
    sealed      BYTEA,
    PRIMARY KEY (caller, key)
);
CREATE INDEX idempotency_started ON idempotency (started_at);
