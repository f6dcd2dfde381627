import type { Guest } from "../api/model";

export const filterKeys = ["os", "tag", "node", "pool", "agent", "reach", "updates", "status", "kind", "backup"] as const;
type FilterKey = (typeof filterKeys)[number];

export interface Filter {
  readonly tokens: readonly { readonly key: FilterKey; readonly value: string }[];
  /** Free words: parts of a name, an address, a vmid. */
  readonly words: readonly string[];
}

/** The quick views above the tree. */
export const shows = ["all", "outdated", "security", "no-agent", "unknown"] as const;
export type Show = (typeof shows)[number];

/** Reads "os:debian tag:web nginx"; an unknown key is a free word, so nothing that is typed is dropped. */
export function parseFilter(text: string): Filter {
  const tokens: Filter["tokens"][number][] = [];
  const words: string[] = [];
  for (const part of text.toLowerCase().split(/\s+/).filter(Boolean)) {
    const colon = part.indexOf(":");
    const key = filterKeys.find((name) => name === part.slice(0, colon));
    const value = part.slice(colon + 1);
    if (key && value) tokens.push({ key, value });
    else if (!key) words.push(part);
  }
  return { tokens, words };
}

export function isEmptyFilter(filter: Filter): boolean {
  return filter.tokens.length === 0 && filter.words.length === 0;
}

/** Tokens with the same key widen, different keys narrow: `os:debian os:alpine tag:web` = (Debian or Alpine) with the tag. */
export function matches(guest: Guest, filter: Filter): boolean {
  const wanted = new Map<FilterKey, string[]>();
  for (const { key, value } of filter.tokens) wanted.set(key, [...(wanted.get(key) ?? []), value]);
  for (const [key, values] of wanted) if (!values.some((value) => valuesOf(guest, key).some((own) => own.includes(value)))) return false;
  return filter.words.every((word) => guest.name.toLowerCase().includes(word) || String(guest.vmid).startsWith(word) || guest.addresses.some((address) => address.includes(word)));
}

export function inShow(guest: Guest, show: Show): boolean {
  switch (show) {
    case "all":
      return true;
    case "outdated":
      return (guest.updates.total ?? 0) > 0;
    case "security":
      return (guest.updates.security ?? 0) > 0;
    case "no-agent":
      return guest.agent.state === "none" && guest.status === "running";
    case "unknown":
      return !guest.template && (guest.tick === "unknown" || ["unknown", "stale", "failed"].includes(guest.updates.state));
  }
}

/** What a guest answers to a token's key, in lower case. Also the source of the suggestions. */
export function valuesOf(guest: Guest, key: FilterKey): readonly string[] {
  switch (key) {
    case "os":
      return guest.system ? [guest.system.id, guest.system.name].map(lower) : ["unknown"];
    case "tag":
      return guest.tags.map(lower);
    case "node":
      return [lower(guest.node)];
    case "pool":
      return guest.pool ? [lower(guest.pool)] : [];
    case "agent":
      return [guest.agent.state];
    case "reach":
      return [guest.reach.best ?? "none", lower(guest.reach.label)];
    case "updates":
      return [guest.updates.state, guest.tick];
    case "status":
      return guest.lock ? [guest.status, "locked"] : [guest.status];
    case "kind":
      return [guest.kind];
    case "backup":
      return [guest.backup];
  }
}

const lower = (text: string) => text.toLowerCase();
