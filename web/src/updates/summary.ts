import type { Cluster, Guest } from "../api/model";
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
export function details({ updates, outOfDate, guests, never, stale, failed }: UpdateSummary): string[] {
  return [
    updates > 0 ? words.wait(updates, outOfDate.length, guests) : "",
    never.length > 0 ? words.never(never.length) : "",
    stale.length > 0 ? words.stale(stale.length) : "",
    failed.length > 0 ? words.failed(failed.length) : "",
  ];
}

export type Need =
  | { readonly kind: "cluster"; readonly cluster: Cluster }
  | { readonly kind: "failed" | "stale" | "reach" | "offline"; readonly guest: Guest };

/** What waits for a person, the widest first: clusters, then scans, agents, ways in. One guest stands here once. */
export function needs(clusters: readonly Cluster[], guests: readonly Guest[]): readonly Need[] {
  const found: Need[] = clusters.filter((cluster) => cluster.status === "error").map((cluster) => ({ kind: "cluster", cluster }));
  const kinds: readonly (readonly [Exclude<Need["kind"], "cluster">, (guest: Guest) => boolean])[] = [
    ["failed", (guest) => guest.updates.state === "failed"],
    ["offline", (guest) => guest.agent.state === "offline" && guest.status === "running"],
    ["stale", (guest) => guest.updates.state === "stale"],
    ["reach", (guest) => Boolean(guest.reach.needs_step) && !guest.reach.best && guest.status === "running"],
  ];
  const seen = new Set<string>();
  for (const [kind, applies] of kinds) {
    for (const guest of guests) {
      if (guest.gone_at || seen.has(guest.id) || !applies(guest)) continue;
      seen.add(guest.id);
      found.push({ kind, guest });
    }
  }
  return found;
}

function bySecurity(a: Guest, b: Guest): number {
  return (b.updates.security ?? 0) - (a.updates.security ?? 0) || (b.updates.total ?? 0) - (a.updates.total ?? 0) || a.name.localeCompare(b.name);
}
