import type { Cluster, Guest, Job, Node, Rollup } from "../api/model";
import type { ClusterTree } from "../fleet/tree";

const rollup: Rollup = { guests: 0, running: 0, no_agent: 0, updates_total: null, security_total: null, out_of_date: 0, insecure: 0, stale: 0, unknown: 0, not_backed_up: 0, marks: {} };

/** A running, scanned, up-to-date container of the node `pve1` in the cluster `c1`, changed by what the test is about. */
export function aGuest(change: Partial<Guest> = {}): Guest {
  return {
    id: `g${change.vmid ?? 100}`,
    cluster: "c1",
    node: "pve1",
    node_id: "n-pve1",
    vmid: 100,
    kind: "lxc",
    name: `guest-${change.vmid ?? 100}`,
    status: "running",
    template: false,
    tags: [],
    addresses: [],
    backup: "covered",
    agent: { state: "online" },
    updates: { state: "fresh", total: 0, security: 0 },
    reach: { best: "agent", label: "agent" },
    tick: "up_to_date",
    first_seen_at: "2026-01-01T00:00:00Z",
    actions: [],
    ...change,
  };
}

export function aNode(name = "pve1", change: Partial<Node> = {}): Node {
  return { id: `n-${name}`, cluster: "c1", name, status: "online", updates: { state: "unknown" }, rollup, actions: [], ...change };
}

export function aCluster(change: Partial<Cluster> = {}): Cluster {
  return {
    id: "c1",
    name: "Homelab",
    status: "active",
    endpoints: ["https://192.168.1.10:8006"],
    token_id: "muster@pve!main",
    tls: { mode: "pinned", fingerprints: {} },
    state_seconds: 10,
    detail_seconds: 60,
    health: { reasons: [] },
    rollup,
    actions: [],
    ...change,
  };
}

export function aTree(guests: readonly Guest[], nodes: readonly Node[] = [aNode()], cluster: Cluster = aCluster()): ClusterTree {
  return { cluster, nodes, guests: new Map(guests.map((guest) => [guest.id, guest])) };
}

export function aJob(change: Partial<Job> = {}): Job {
  return { id: "j1", kind: "scan", title: "Scan 2 guests", steps: [], state: "running", progress: { total: 2, done: 0, failed: 0, skipped: 0 }, created_at: "2026-01-01T00:00:00Z", created_by: "anna", actions: [], ...change };
}
