-- Ways into guests through PVE: what is known of each, who is in one now, and consoles that Muster has changed.

-- Versions of the packages that decide whether API tokens may use consoles (object, name to version), and what a try has
-- shown with them.
ALTER TABLE proxmox_nodes ADD COLUMN packages JSONB;
ALTER TABLE proxmox_nodes ADD COLUMN token_console TEXT NOT NULL DEFAULT 'unknown'
    CHECK (token_console IN ('unknown', 'works', 'refused'));
ALTER TABLE proxmox_nodes ADD COLUMN token_console_packages JSONB;
ALTER TABLE proxmox_nodes ADD COLUMN token_console_at BIGINT;

-- A user whose password opens consoles; the password stands sealed among the secrets.
ALTER TABLE proxmox_clusters ADD COLUMN login_user TEXT;

-- What the token may do with the guest (object of booleans); null while nobody has asked.
ALTER TABLE guests ADD COLUMN rights JSONB;
ALTER TABLE guests ADD COLUMN cmode_pending TEXT;
ALTER TABLE guests ADD COLUMN qemu_agent TEXT NOT NULL DEFAULT 'unknown'
    CHECK (qemu_agent IN ('unknown', 'off', 'silent', 'answers'));

-- By which way a target is worked on.
ALTER TABLE job_targets ADD COLUMN transport TEXT;

-- Who works in a guest through PVE. One at a time; ends by itself when its holder dies.
CREATE TABLE guest_locks (
    guest_id   UUID PRIMARY KEY REFERENCES guests (id) ON DELETE CASCADE,
    holder     UUID NOT NULL,
    expires_at BIGINT NOT NULL
);

-- Consoles that Muster made open a shell, until they are put back.
CREATE TABLE console_changes (
    guest_id   UUID PRIMARY KEY REFERENCES guests (id) ON DELETE CASCADE,
    -- What the configuration said before; null when it said nothing.
    before     TEXT,
    changed_at BIGINT NOT NULL
);
