-- Ways to rows that every look at the fleet takes: the job at work in a guest, and a cluster's former guests.
CREATE INDEX job_targets_at_work ON job_targets (guest_id) WHERE state IN ('running', 'waiting');
CREATE INDEX guests_gone ON guests (cluster_id, vmid) WHERE gone_at IS NOT NULL;
