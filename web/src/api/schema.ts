/**
 * The shapes of the HTTP API as `paths` and `components`, the form that openapi-fetch reads.
 * Times are RFC 3339 strings, ids are UUID strings, a missing optional value may come as null.
 */

type Opt<T> = T | null | undefined;
type Json<T> = { content: { "application/json": T } };
type Answer<T, Status extends number = 200> = { responses: { [S in Status]: Json<T> } & { default: Json<components["schemas"]["Problem"]> } };
type None = { responses: { 204: { content: { "application/json": unknown } }; default: Json<components["schemas"]["Problem"]> } };
type Path<Names extends string> = { parameters: { path: { [N in Names]: string } } };
type Query<Q> = { parameters: { query?: Q } };
type Body<B> = { requestBody: Json<B> };
type Page<T> = { items: T[]; next?: Opt<string>; total?: Opt<number> };
type S = components["schemas"];
type BulkBody = { guests?: string[]; dry_run?: boolean };

export interface components {
  schemas: {
    Problem: { type: string; title: string; status: number; detail?: Opt<string>; code: string; request_id?: Opt<string>; errors?: Opt<{ pointer: string; detail: string }[]> };
    Action: { name: string; allowed: boolean; reason?: Opt<string> };
    Role: "viewer" | "operator" | "admin";
    Session: { setup_needed: boolean; user: { id: string; name: string; role: S["Role"] } | null; version: string; demo: boolean };
    System: { version: string; agent_url: Opt<string>; agent_url_guesses: string[]; database: string; reconcilers: { name: string; state?: Opt<string>; last_run_at?: Opt<string>; detail?: Opt<string> }[]; limits: { [name: string]: unknown } };
    Settings: { agent_url: Opt<string>; retention: { jobs_days: number; log_days: number; audit_days: number; discovery_days: number } };
    User: { id: string; name: string; role: S["Role"]; created_at?: Opt<string>; last_seen_at?: Opt<string>; actions?: Opt<S["Action"][]> };
    Token: { id: string; name: string; role: S["Role"]; created_at?: Opt<string>; expires_at?: Opt<string>; last_used_at?: Opt<string>; secret?: Opt<string> };
    AuditEntry: { id: string; at: string; actor: string; action: string; target?: Opt<string>; result?: Opt<string>; detail?: unknown };
    Certificate: { url: string; fingerprint: string; subject: string; issuer: string; not_before?: Opt<string>; not_after: string; names: string[]; trusted: boolean; trust_problem?: Opt<string> };
    Tls: { mode: "system" | "pinned" | "cluster_ca"; fingerprint?: Opt<string>; ca_pem?: Opt<string> };
    NewCluster: { name: string; endpoints: string[]; token_id: string; token_secret: string; tls: S["Tls"]; state_seconds?: Opt<number>; detail_seconds?: Opt<number> };
    ClusterPatch: { name?: string; endpoints?: string[]; tls?: S["Tls"]; state_seconds?: number; detail_seconds?: number; paused?: boolean };
    Feature: { name: string; label: string; rights: string[]; missing: { right: string; path: string }[]; ok: boolean };
    TestReport: {
      version: string; release?: Opt<string>; cluster_name?: Opt<string>;
      found: { nodes: number; lxcs: number; vms: number };
      nodes: { name: string; online: boolean; fingerprint?: Opt<string> }[];
      features: S["Feature"][]; excess: string[];
      pveum: { [release: string]: string }; pveum_audit_only: { [release: string]: string }; warnings: string[];
    };
    Tick: "up_to_date" | "updates" | "security" | "running" | "waiting" | "failed" | "rolled_back" | "needs_attention" | "unknown" | "off";
    Rollup: { guests: number; running: number; no_agent: number; updates_total: number; security_total: number; out_of_date: number; unknown: number; not_backed_up: number; ticks: { id: string; tick: S["Tick"] }[] };
    Cluster: {
      id: string; name: string; status: "active" | "paused" | "error"; endpoints: string[]; token_id: string;
      tls: { mode: S["Tls"]["mode"]; fingerprints: { [node: string]: string } };
      version?: Opt<string>; cluster_name?: Opt<string>; quorate?: Opt<boolean>; state_seconds: number; detail_seconds: number;
      last_discovered_at?: Opt<string>; error?: Opt<{ code: string; detail: string; since: string }>;
      rollup: S["Rollup"]; actions: S["Action"][]; next_step?: Opt<{ text: string; action?: Opt<string>; target?: Opt<string> }>;
    };
    Updates: { state: "unknown" | "fresh" | "stale" | "failed" | "unsupported"; total?: Opt<number>; security?: Opt<number>; scanned_at?: Opt<string>; reason?: Opt<string>; reboot_required?: Opt<boolean> };
    Node: {
      id: string; cluster: string; name: string; status: "online" | "offline" | "unknown"; stale_since?: Opt<string>; address?: Opt<string>; version?: Opt<string>;
      cpus?: Opt<number>; memory_total?: Opt<number>; uptime?: Opt<number>; cpu?: Opt<number>; updates: S["Updates"]; rollup: S["Rollup"]; actions: S["Action"][];
    };
    Way: { transport: string; state: "ready" | "needs" | "impossible"; reason: string; action?: Opt<string> };
    Reach: { best?: Opt<string>; label: string; needs_step?: Opt<string>; ways?: Opt<S["Way"][]> };
    Agent: { state: "none" | "enrolling" | "online" | "late" | "offline" | "quarantined"; version?: Opt<string>; last_seen_at?: Opt<string>; reason?: Opt<string> };
    Guest: {
      id: string; cluster: string; node_id?: Opt<string>; node: string; vmid: number; kind: "lxc" | "qemu"; name: string;
      status: "running" | "stopped" | "paused" | "unknown"; stale_since?: Opt<string>; lock?: Opt<string>; template: boolean; tags: string[]; pool?: Opt<string>;
      system?: Opt<{ id: string; name: string }>; address?: Opt<string>; addresses: string[]; cpus?: Opt<number>; memory_max?: Opt<number>; disk_max?: Opt<number>;
      unprivileged?: Opt<boolean>; cmode?: Opt<string>; has_mounts?: Opt<boolean>; backup: "covered" | "none" | "unknown";
      agent: S["Agent"]; updates: S["Updates"]; reach: S["Reach"]; tick: S["Tick"]; first_seen_at: string; gone_at?: Opt<string>; actions: S["Action"][];
    };
    Update: { source: string; name: string; arch?: Opt<string>; from?: Opt<string>; to: string; origin?: Opt<string>; security: boolean; evidence?: Opt<string>; held: boolean; size?: Opt<number> };
    UpdateList: { state: S["Updates"]["state"]; scanned_at?: Opt<string>; reason?: Opt<string>; items: S["Update"][] };
    Hierarchy: { cursor: number; cluster: S["Cluster"]; nodes: (S["Node"] & { guests?: Opt<S["Guest"][]> })[] };
    DiscoveryRow: { id: string; started_at: string; duration_ms: number; trigger: "request" | "schedule" | "added"; nodes_found: number; guests_found: number; new: string[]; changed: string[]; gone: string[]; errors: { node?: Opt<string>; code: string; detail: string }[] };
    GuestRef: { id: string; name: string; vmid: number; node: string };
    Reason: { code: string; detail: string };
    Bulk: {
      job?: Opt<S["Job"]>;
      targets: { guest: S["GuestRef"]; decision: "accepted" | "skipped"; reason?: Opt<S["Reason"]> }[];
      by_hand?: Opt<{ guests: { guest: S["GuestRef"]; line: string; expires_at: string }[]; nodes: { node: string; line: string; guests: string[] }[] }>;
    };
    Job: {
      id: string; kind: "discover" | "scan" | "install"; title: string; state: "queued" | "running" | "succeeded" | "partly" | "failed" | "cancelled";
      progress: { total: number; done: number; failed: number; skipped: number }; created_at: string; created_by: string; started_at?: Opt<string>; finished_at?: Opt<string>; cluster?: Opt<string>; actions: S["Action"][];
    };
    JobTarget: {
      id: string; guest?: Opt<S["GuestRef"]>; name: string; state: "queued" | "running" | "waiting" | "succeeded" | "failed" | "skipped" | "cancelled";
      step?: Opt<string>; reason?: Opt<S["Reason"]>; attempt: number; started_at?: Opt<string>; finished_at?: Opt<string>; result?: Opt<{ [name: string]: unknown }>;
    };
    LogLine: { n: number; at: string; level: string; target?: Opt<string>; text: string };
  };
}

export interface paths {
  "/api/v1/session": { get: Answer<S["Session"]>; post: Answer<S["Session"]> & Body<{ name: string; password: string } | { link: string }>; delete: None };
  "/api/v1/setup": { post: Answer<S["Session"]> & Body<{ token: string; name: string; password: string }> };
  "/api/v1/system": { get: Answer<S["System"]> };
  "/api/v1/settings": { get: Answer<S["Settings"]>; patch: Answer<S["Settings"]> & Body<{ agent_url?: string; retention?: S["Settings"]["retention"] }> };
  "/api/v1/users": { get: Answer<Page<S["User"]>>; post: Answer<S["User"], 201> & Body<{ name: string; role: S["Role"]; password: string }> };
  "/api/v1/users/{id}": { patch: Answer<S["User"]> & Path<"id"> & Body<{ role?: S["Role"]; password?: string }>; delete: None & Path<"id"> };
  "/api/v1/tokens": { get: Answer<Page<S["Token"]>>; post: Answer<S["Token"], 201> & Body<{ name: string; role: S["Role"]; expires_at?: string }> };
  "/api/v1/tokens/{id}": { delete: None & Path<"id"> };
  "/api/v1/audit": { get: Answer<Page<S["AuditEntry"]>> & Query<{ cursor?: string; limit?: number }> };
  "/api/v1/proxmox/probe": { post: Answer<S["Certificate"]> & Body<{ url: string }> };
  "/api/v1/proxmox/clusters/test": { post: Answer<S["TestReport"]> & Body<S["NewCluster"]> };
  "/api/v1/proxmox/clusters": { get: Answer<Page<S["Cluster"]>>; post: Answer<S["Cluster"], 201> & Body<S["NewCluster"]> };
  "/api/v1/proxmox/clusters/{id}": { get: Answer<S["Cluster"]> & Path<"id">; patch: Answer<S["Cluster"]> & Path<"id"> & Body<S["ClusterPatch"]>; delete: None & Path<"id"> };
  "/api/v1/proxmox/clusters/{id}/test": { post: Answer<S["TestReport"]> & Path<"id"> };
  "/api/v1/proxmox/clusters/{id}/token": { post: Answer<S["Cluster"]> & Path<"id"> & Body<{ token_id?: string; token_secret: string }> };
  "/api/v1/proxmox/clusters/{id}/discover": { post: Answer<{ job: S["Job"] }, 202> & Path<"id"> };
  "/api/v1/proxmox/clusters/{id}/discoveries": { get: Answer<Page<S["DiscoveryRow"]>> & { parameters: { path: { id: string }; query?: { limit?: number; cursor?: string } } } };
  "/api/v1/proxmox/clusters/{id}/hierarchy": { get: Answer<S["Hierarchy"]> & { parameters: { path: { id: string }; query?: { depth?: "nodes" } } } };
  "/api/v1/guests/{id}": { get: Answer<S["Guest"]> & Path<"id"> };
  "/api/v1/guests/{id}/updates": { get: Answer<S["UpdateList"]> & Path<"id"> };
  "/api/v1/guests/{id}/agent": { delete: Answer<{ line?: Opt<string> }> & Path<"id"> };
  "/api/v1/guests/bulk-scan": { post: Answer<S["Bulk"], 202> & Body<BulkBody> };
  "/api/v1/guests/bulk-install": { post: Answer<S["Bulk"], 202> & Body<BulkBody> };
  "/api/v1/jobs": { get: Answer<Page<S["Job"]>> & Query<{ cursor?: string; limit?: number }> };
  "/api/v1/jobs/{id}": { get: Answer<S["Job"]> & Path<"id"> };
  "/api/v1/jobs/{id}/targets": { get: Answer<Page<S["JobTarget"]>> & { parameters: { path: { id: string }; query?: { limit?: number; cursor?: string } } } };
  "/api/v1/jobs/{id}/log": { get: Answer<Page<S["LogLine"]>> & { parameters: { path: { id: string }; query?: { after?: number; limit?: number } } } };
  "/api/v1/jobs/{id}/cancel": { post: Answer<S["Job"], 202> & Path<"id"> };
  "/api/v1/jobs/{id}/retry": { post: Answer<{ job: S["Job"] }, 202> & Path<"id"> };
}
