import type { Cluster, Guest, Node } from "../api/model";
import { words } from "./words";

export interface UpdateSummary {
  readonly guests: number;
  readonly outOfDate: readonly Guest[];
  readonly security: readonly Guest[];
  readonly updates: number;
  readonly never: readonly Guest[];
  readonly stale: readonly Guest[];
  readonly failed: readonly Guest[];
  readonly upToDate: number;
  readonly newestScan: string | null;
}

/** Counts what is out of date. What is not known is counted as such and never as up to date. */
export function summarize(guests: readonly Guest[]): UpdateSummary {
  const present = guests.filter((guest) => !guest.gone_at);
  const outOfDate = present.filter((guest) => (guest.updates.total ?? 0) > 0).toSorted(bySecurity);
  const of = (state: Guest["updates"]["state"]) => present.filter((guest) => guest.updates.state === state);
  return {
    guests: present.length,
    outOfDate,
    security: outOfDate.filter((guest) => (guest.updates.security ?? 0) > 0),
    updates: outOfDate.reduce((sum, guest) => sum + (guest.updates.total ?? 0), 0),
    never: of("unknown"),
    stale: of("stale"),
    failed: of("failed"),
    upToDate: of("fresh").filter((guest) => guest.updates.total === 0).length,
    newestScan: present.map((guest) => guest.updates.scanned_at ?? "").toSorted().at(-1) || null,
  };
}

/** The one sentence of the page: security first, and never "up to date" about what is not known. */
export function sentence(summary: UpdateSummary): string {
  if (summary.security.length > 0) return words.security(summary.security.length);
  if (summary.outOfDate.length > 0) return words.outdated(summary.outOfDate.length);
  if (summary.upToDate === 0) return words.nothingKnown;
  return summary.never.length + summary.stale.length + summary.failed.length > 0 ? words.upToDateKnown(summary.upToDate) : words.upToDate(summary.upToDate);
}

/** What stands behind the sentence: amounts, and what is not known. */
export function details({ updates, outOfDate, guests, never, stale, failed }: UpdateSummary, nodes: readonly Node[]): string[] {
  const hosts = nodes.filter((node) => (node.updates.total ?? 0) > 0);
  return [
    updates > 0 ? words.wait(updates, outOfDate.length, guests) : "",
    hosts.length > 0 ? words.hosts(hosts.reduce((sum, node) => sum + (node.updates.total ?? 0), 0), hosts.length) : "",
    never.length > 0 ? words.never(never.length) : "",
    stale.length > 0 ? words.stale(stale.length) : "",
    failed.length > 0 ? words.failed(failed.length) : "",
  ];
}

/** One thing that waits for a person. Conditions that many guests share at once stand as one. */
export type Need =
  | { readonly kind: "cluster"; readonly cluster: Cluster }
  | { readonly kind: "node"; readonly node: Node }
  | { readonly kind: "failed" | "stale" | "reach" | "offline" | "locked"; readonly guest: Guest }
  | { readonly kind: "backup" | "stopped"; readonly guests: readonly Guest[] };

/** What waits for a person, the widest first: clusters, hosts, then scans, agents, locks, ways in, backups. One guest is named for one reason. */
export function needs(clusters: readonly Cluster[], nodes: readonly Node[], guests: readonly Guest[]): readonly Need[] {
  const present = guests.filter((guest) => !guest.gone_at && !guest.template);
  const found: Need[] = clusters.filter((cluster) => cluster.status === "error").map((cluster) => ({ kind: "cluster", cluster }));
  found.push(...nodes.filter((node) => node.status === "offline" || (node.updates.total ?? 0) > 0).map((node) => ({ kind: "node" as const, node })));
  const seen = new Set<string>();
  for (const [kind, applies] of ofOneGuest) {
    for (const guest of present) {
      if (seen.has(guest.id) || !applies(guest)) continue;
      seen.add(guest.id);
      found.push({ kind, guest });
    }
  }
  for (const [kind, applies] of ofMany) {
    const affected = present.filter(applies);
    if (affected.length > 0) found.push({ kind, guests: affected });
  }
  return found;
}

const ofOneGuest: readonly (readonly ["failed" | "stale" | "reach" | "offline" | "locked", (guest: Guest) => boolean])[] = [
  ["failed", (guest) => guest.updates.state === "failed"],
  ["offline", (guest) => guest.agent.state === "offline" && guest.status === "running"],
  ["locked", (guest) => Boolean(guest.lock)],
  ["stale", (guest) => guest.updates.state === "stale"],
  ["reach", (guest) => Boolean(guest.reach.needs_step) && !guest.reach.best && guest.status === "running"],
];

const ofMany: readonly (readonly ["backup" | "stopped", (guest: Guest) => boolean])[] = [
  ["backup", (guest) => guest.backup === "none"],
  ["stopped", (guest) => guest.status === "stopped"],
];

function bySecurity(a: Guest, b: Guest): number {
  return (b.updates.security ?? 0) - (a.updates.security ?? 0) || (b.updates.total ?? 0) - (a.updates.total ?? 0) || a.name.localeCompare(b.name);
}
