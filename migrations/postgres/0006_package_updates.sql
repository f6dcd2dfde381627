-- What other package managers than apt tell: that nothing is known of security, how grave a fix is, what an update brings along.
-- Null where the metadata says nothing about security.
ALTER TABLE updates ALTER COLUMN security DROP NOT NULL;
ALTER TABLE updates ADD COLUMN severity TEXT CHECK (severity IN ('low', 'moderate', 'important', 'critical'));
-- Identifiers such as CVE-2026-1234, separated by spaces.
ALTER TABLE updates ADD COLUMN fixes TEXT NOT NULL DEFAULT '';
ALTER TABLE updates ADD COLUMN phased BIGINT;
ALTER TABLE updates ADD COLUMN kept_back BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE updates ADD COLUMN installed_size BIGINT;
CREATE INDEX updates_name ON updates (name, source);
-- What belongs to the whole report and not to one update, as JSON.
ALTER TABLE scans ADD COLUMN besides JSONB NOT NULL DEFAULT '{}';
