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
