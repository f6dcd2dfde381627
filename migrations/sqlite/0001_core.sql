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
