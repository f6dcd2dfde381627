-- What is wrong with a cluster that can be read, as a list of reasons; and which guests its token can no longer see.
ALTER TABLE proxmox_clusters ADD COLUMN health TEXT NOT NULL DEFAULT '[]';
ALTER TABLE guests ADD COLUMN hidden INTEGER NOT NULL DEFAULT 0;
