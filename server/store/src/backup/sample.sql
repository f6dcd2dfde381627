-- For SQLite. Two jobs, so that one can refer to the other; truth and its contrary; numbers that need all their digits.
INSERT INTO settings (name, value) VALUES ('agent_url', '"https://muster.example.org"');
INSERT INTO audit (id, at, actor_kind, actor_id, actor_name, action, target_kind, target_id, target_name, detail, request_id) VALUES (x'01900000000070008000000000000001', 9223372036854775807, 'user', NULL, 'O''Brien "the admin"', 'sign_in', 'user', NULL, 'x', '{"a": [1, null, "ü"]}', NULL);
INSERT INTO secrets (owner, purpose, key_id, sealed) VALUES (x'00000000000000000000000000000000', 'server_identity', 'k1', x'00ff10');
INSERT INTO users (id, name, role, password_hash, created_at) VALUES (x'01900000000070008000000000000002', 'Ann', 'admin', '$argon2id$x', 1);
INSERT INTO tokens (id, name, role, user_id, hash, created_at) VALUES (x'01900000000070008000000000000003', 't', 'viewer', x'01900000000070008000000000000002', x'ab', 2);
INSERT INTO proxmox_clusters (id, name, endpoints, token_id, tls_mode, fingerprints, state_seconds, detail_seconds, paused, quorate, created_at, updated_at)
    VALUES (x'01900000000070008000000000000004', 'home', '["https://192.0.2.1:8006"]', 'm@pve!m', 'pinned', '{}', 10, 3600, 0, 1, 1, 1);
INSERT INTO proxmox_nodes (id, cluster_id, name, status, updates_state, exec_endpoint, first_seen_at)
    VALUES (x'01900000000070008000000000000005', x'01900000000070008000000000000004', 'pve1', 'online', 'unknown', 'unknown', 1);
INSERT INTO guests (id, cluster_id, node_id, vmid, kind, name, status, template, tags, addresses, cpus, unprivileged, backup, first_seen_at)
    VALUES (x'01900000000070008000000000000006', x'01900000000070008000000000000004', x'01900000000070008000000000000005', 100, 'lxc', 'web', 'running', 0, '', '', 0.1, NULL, 'none', 1);
INSERT INTO proxmox_discovery_log (id, cluster_id, started_at, duration_ms, started_by, nodes_found, guests_found, appeared, changed, gone, errors) VALUES (x'01900000000070008000000000000007', x'01900000000070008000000000000004', 1, 2, 'added', 1, 1, '[]', '[]', '[]', '[]');
INSERT INTO jobs (id, kind, title, work, state, run_at, attempt, interruptions, cancel_requested, created_at, created_by)
    VALUES (x'01900000000070008000000000000008', 'scan', 'Scan', '{"kind": "scan"}', 'succeeded', 1, 1, 0, 0, 1, 'Ann');
INSERT INTO jobs (id, kind, title, work, state, run_at, attempt, interruptions, cancel_requested, retry_of, created_at, created_by)
    VALUES (x'01900000000070008000000000000009', 'scan', 'Scan', '{"kind": "scan"}', 'failed', 1, 1, 0, 1, x'01900000000070008000000000000008', 1, 'Ann');
INSERT INTO job_targets (id, job_id, place, guest_id, name, state, attempt)
    VALUES (x'0190000000007000800000000000000a', x'01900000000070008000000000000009', 0, x'01900000000070008000000000000006', 'web', 'failed', 1);
INSERT INTO job_log (job_id, n, at, level, target_id, text) VALUES (x'01900000000070008000000000000009', 1, 1, 'info', NULL, 'line one
line two	and a tab');
INSERT INTO agents (id, guest_id, public_key, version, facts, counter, generation, enrolled_at)
    VALUES (x'0190000000007000800000000000000b', x'01900000000070008000000000000006', x'', '0.1.0', '{}', 7, 1, 1);
INSERT INTO scans (guest_id, scanned_at, transport, digest, besides) VALUES (x'01900000000070008000000000000006', 1, 'agent', 'd', '{}');
INSERT INTO updates (guest_id, source, name, arch, from_version, to_version, origin, security, evidence, held, size, severity, fixes, phased, kept_back, installed_size) VALUES (x'01900000000070008000000000000006', 'apt', 'openssl', 'amd64', '1', '2', NULL, NULL, NULL, 0, 123, 'low', 'CVE-2026-1', 30, 1, 456);
INSERT INTO console_changes VALUES (x'01900000000070008000000000000006', 'tty', 5);
