-- What other package managers than apt tell: that nothing is known of security, how grave a fix is, what an update brings along.
CREATE TABLE updates_new (
    guest_id       BLOB NOT NULL REFERENCES guests (id) ON DELETE CASCADE,
    source         TEXT NOT NULL,
    name           TEXT NOT NULL,
    arch           TEXT NOT NULL,
    from_version   TEXT,
    to_version     TEXT NOT NULL,
    origin         TEXT,
    -- Null where the metadata says nothing about security.
    security       INTEGER,
    evidence       TEXT,
    held           INTEGER NOT NULL,
    size           INTEGER,
    severity       TEXT CHECK (severity IN ('low', 'moderate', 'important', 'critical')),
    -- Identifiers such as CVE-2026-1234, separated by spaces.
    fixes          TEXT NOT NULL DEFAULT '',
    phased         INTEGER,
    kept_back      INTEGER NOT NULL DEFAULT 0,
    installed_size INTEGER,
    PRIMARY KEY (guest_id, source, name, arch)
) STRICT;
INSERT INTO updates_new (guest_id, source, name, arch, from_version, to_version, origin, security, evidence, held, size)
    SELECT guest_id, source, name, arch, from_version, to_version, origin, security, evidence, held, size FROM updates;
DROP TABLE updates;
ALTER TABLE updates_new RENAME TO updates;
CREATE INDEX updates_name ON updates (name, source);
-- What belongs to the whole report and not to one update, as JSON.
ALTER TABLE scans ADD COLUMN besides TEXT NOT NULL DEFAULT '{}';
