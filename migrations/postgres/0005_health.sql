-- What is wrong with a cluster that can be read, as a list of reasons; and which guests its token can no longer see.
ALTER TABLE proxmox_clusters ADD COLUMN health JSONB NOT NULL DEFAULT '[]';
ALTER TABLE guests ADD COLUMN hidden BOOLEAN NOT NULL DEFAULT FALSE;
