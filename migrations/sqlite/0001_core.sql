-- What every part of Muster stands on. Ids are UUIDs, times microseconds since 1970.
CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

-- Small facts for whoever listens; seq grows in the order of commits.
CREATE TABLE events (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT,
    at      INTEGER NOT NULL,
    kind    TEXT NOT NULL,
    subject BLOB,
    facts   TEXT NOT NULL
) STRICT;
CREATE INDEX events_at ON events (at);

-- Who did what, on what, with which result.
CREATE TABLE audit (
    id          BLOB PRIMARY KEY,
    at          INTEGER NOT NULL,
    actor_kind  TEXT NOT NULL CHECK (actor_kind IN ('user', 'token', 'agent', 'system', 'command_line')),
    actor_id    BLOB,
    actor_name  TEXT NOT NULL,
    action      TEXT NOT NULL,
    target_kind TEXT NOT NULL,
    target_id   BLOB,
    target_name TEXT NOT NULL,
    detail      TEXT NOT NULL,
    request_id  BLOB
) STRICT;
CREATE INDEX audit_at ON audit (at);

-- Sealed under a key that is not in the database; key_id says which one.
CREATE TABLE secrets (
    owner   BLOB NOT NULL,
    purpose TEXT NOT NULL,
    key_id  TEXT NOT NULL,
    sealed  BLOB NOT NULL,
    PRIMARY KEY (owner, purpose)
) STRICT;

-- The one server process that is active.
CREATE TABLE server_lease (
    name       TEXT PRIMARY KEY,
    holder     BLOB NOT NULL,
    host       TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE TABLE users (
    id            BLOB PRIMARY KEY,
    name          TEXT NOT NULL,
    role          TEXT NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    password_hash TEXT,
    created_at    INTEGER NOT NULL,
    signed_in_at  INTEGER
) STRICT;
CREATE UNIQUE INDEX users_name ON users (lower(name));

-- Signed-in browsers. The cookie holds the secret, the table its SHA-256.
CREATE TABLE sessions (
    hash       BLOB PRIMARY KEY,
    user_id    BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_user ON sessions (user_id);

-- Links that work once: to set Muster up, or to sign one person in.
CREATE TABLE one_time_links (
    hash       BLOB PRIMARY KEY,
    purpose    TEXT NOT NULL CHECK (purpose IN ('setup', 'sign_in')),
    user_id    BLOB REFERENCES users (id) ON DELETE CASCADE,
    expires_at INTEGER NOT NULL
) STRICT;

-- Failed sign-ins by the hash of the name and by address; who fails often waits.
CREATE TABLE sign_in_failures (
    name          TEXT NOT NULL,
    address       TEXT NOT NULL,
    failures      INTEGER NOT NULL,
    last_at       INTEGER NOT NULL,
    blocked_until INTEGER NOT NULL,
    PRIMARY KEY (name, address)
) STRICT;

-- API tokens. The caller holds the secret, the table its SHA-256.
CREATE TABLE tokens (
    id           BLOB PRIMARY KEY,
    name         TEXT NOT NULL,
    role         TEXT NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    user_id      BLOB REFERENCES users (id) ON DELETE CASCADE,
    hash         BLOB NOT NULL,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER,
    last_used_at INTEGER
) STRICT;

-- Answers of requests that carried an Idempotency-Key, sealed, until they are given again. status is null while the
-- first of them is still at work.
CREATE TABLE idempotency (
    caller      TEXT NOT NULL,
    key         TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    started_at  INTEGER NOT NULL,
    status      INTEGER,
    key_id      TEXT,
    sealed      BLOB,
    PRIMARY KEY (caller, key)
) STRICT;
CREATE INDEX idempotency_started ON idempotency (started_at);
