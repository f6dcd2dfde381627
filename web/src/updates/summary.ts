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
  /** Muster has no way to count there. */
  readonly unsupported: readonly Guest[];
  readonly upToDate: number;
  readonly newestScan: string | null;
}

/** Counts what is out of date. What is not known is counted as such and never as up to date. */
export function summarize(guests: readonly Guest[]): UpdateSummary {
  const present = guests.filter((guest) => !guest.gone_at && !guest.template);
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
    unsupported: of("unsupported"),
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
export function details({ updates, outOfDate, guests, never, stale, failed, unsupported }: UpdateSummary, nodes: readonly Node[]): string[] {
  const hosts = nodes.filter((node) => (node.updates.total ?? 0) > 0);
  return [
    updates > 0 ? words.wait(updates, outOfDate.length, guests) : "",
    hosts.length > 0 ? words.hosts(hosts.reduce((sum, node) => sum + (node.updates.total ?? 0), 0), hosts.length) : "",
    never.length > 0 ? words.never(never.length) : "",
    stale.length > 0 ? words.stale(stale.length) : "",
    failed.length > 0 ? words.failed(failed.length) : "",
    unsupported.length > 0 ? words.unsupported(unsupported.length) : "",
  ];
}

export interface Step {
  readonly kind: "security" | "scan" | "install";
  readonly guests: readonly string[];
}

/** What to do next: look at security first, then learn what can be learned at once, then make ways in. Null when nothing waits. */
export function nextStep(summary: UpdateSummary, guests: readonly Guest[]): Step | null {
  const step = (kind: Step["kind"], found: readonly Guest[]) => (found.length > 0 ? { kind, guests: found.map((guest) => guest.id) } : null);
  const reached = notKnown(summary).filter((guest) => guest.reach.best && guest.reach.best !== "by_hand" && allowed("scan", guest));
  const unreached = guests.filter((guest) => guest.agent.state === "none" && allowed("install_agent", guest));
  return step("security", summary.security) ?? step("scan", reached) ?? step("install", unreached);
}

const allowed = (name: string, guest: Guest) => guest.actions.some((action) => action.name === name && action.allowed);

/** Of whom nothing fresh is known: failed scans first, then old results, those that were never scanned, those that cannot be. */
export function notKnown({ failed, stale, never, unsupported }: UpdateSummary): readonly Guest[] {
  return [...failed, ...stale, ...never, ...unsupported];
}

/** One thing that waits for a person. Conditions that many guests share at once stand as one. */
export type Need =
  | { readonly kind: "cluster"; readonly cluster: Cluster }
  | { readonly kind: "node"; readonly node: Node }
  | { readonly kind: "hosts"; readonly nodes: readonly Node[] }
  | { readonly kind: "failed" | "stale" | "reach" | "offline" | "locked"; readonly guest: Guest }
  | { readonly kind: "backup" | "stopped"; readonly guests: readonly Guest[] };

/** What waits for a person, the widest first: clusters, hosts, then scans, agents, locks, ways in, backups. One guest is named for one reason. */
export function needs(clusters: readonly Cluster[], nodes: readonly Node[], guests: readonly Guest[]): readonly Need[] {
  const present = guests.filter((guest) => !guest.gone_at && !guest.template);
  const found: Need[] = clusters.filter((cluster) => cluster.status === "error").map((cluster) => ({ kind: "cluster", cluster }));
  found.push(...nodes.filter((node) => node.status === "offline").map((node) => ({ kind: "node" as const, node })));
  const hosts = nodes.filter((node) => (node.updates.total ?? 0) > 0);
  if (hosts.length > 0) found.push({ kind: "hosts", nodes: hosts });
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
