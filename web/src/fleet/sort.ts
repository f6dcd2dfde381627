import type { Guest } from "../api/model";

const sortKeys = ["name", "status", "agent", "updates", "reach", "system", "address", "scanned"] as const;
export type SortKey = (typeof sortKeys)[number];

/** "updates" or, the other way round, "-updates", as it stands in the address. */
export type Sort = SortKey | `-${SortKey}`;
export const sorts: readonly Sort[] = sortKeys.flatMap((key) => [key, `-${key}` as const]);

type Compare = (a: Guest, b: Guest) => number;

/** Much faster than localeCompare over thousands of names. */
const text = new Intl.Collator("en", { numeric: true });

/** What a guest is compared by; null is not known and stands last, whichever way the order goes. */
const values: Record<SortKey, (guest: Guest) => string | number | null> = {
  name: (guest) => guest.name,
  status: (guest) => (guest.lock ? "locked" : guest.status),
  agent: (guest) => guest.agent.state,
  // Security counts before everything else.
  updates: ({ updates: { total, security } }) => (total == null ? null : (security ?? 0) * 1_000_000 + total),
  reach: (guest) => guest.reach.label,
  system: (guest) => guest.system?.name ?? null,
  address: (guest) => guest.address ?? null,
  scanned: (guest) => guest.updates.scanned_at ?? null,
};

export function directionOf(sort: Sort | undefined, key: SortKey): "ascending" | "descending" | undefined {
  if (sort === key) return "ascending";
  return sort === `-${key}` ? "descending" : undefined;
}

/** The order that a click on a column's head asks for: what is most first for numbers, then the other way, then none. */
export function nextSort(sort: Sort | undefined, key: SortKey): Sort | undefined {
  const [first, second]: readonly [Sort, Sort] = key === "updates" ? ["-updates", "updates"] : [key, `-${key}`];
  if (sort === first) return second;
  return sort === second ? undefined : first;
}

export function comparator(sort: Sort): Compare {
  const backwards = sort.startsWith("-");
  const valueOf = values[sort.replace("-", "") as SortKey];
  return (a, b) => {
    const [left, right] = [valueOf(a), valueOf(b)];
    if (left === null || right === null) return Number(left === null) - Number(right === null) || byName(a, b);
    const order = typeof left === "number" && typeof right === "number" ? left - right : text.compare(String(left), String(right));
    return (backwards ? -order : order) || byName(a, b);
  };
}

const byName: Compare = (a, b) => text.compare(a.name, b.name) || a.vmid - b.vmid;
