import { useMemo, useState } from "react";
import type { Guest } from "../api/model";
import { comparator, type Sort } from "./sort";

interface SteadyOrder {
  readonly guests: readonly Guest[];
  /** The place of each in that order. */
  readonly ranks: ReadonlyMap<string, number>;
  /** How many rows would stand elsewhere if they were sorted again now. */
  readonly moved: number;
  readonly sortAgain: () => void;
}

/**
 * Guests in an order that stays while their values change: a row never jumps away under the pointer. New guests come in
 * where they belong. `basis` says what the rows are; another one is sorted anew.
 */
export function useSteadyOrder(guests: readonly Guest[], sort: Sort, basis: string): SteadyOrder {
  const [asked, setAsked] = useState(0);
  const key = `${sort} ${asked} ${basis}`;
  const [kept, setKept] = useState<{ key: string; ranks: ReadonlyMap<string, number> }>({ key: "", ranks: new Map() });
  const sorted = useMemo(() => guests.toSorted(comparator(sort)), [guests, sort]);
  const isNew = kept.key !== key;
  const ordered = useMemo(() => (isNew ? sorted : inOrder(sorted, kept.ranks)), [isNew, sorted, kept.ranks]);
  const ranks = useMemo(() => new Map(ordered.map((guest, index) => [guest.id, index])), [ordered]);
  if (isNew || ranks.size !== kept.ranks.size) setKept({ key, ranks });
  const moved = useMemo(() => ordered.reduce((sum, guest, index) => sum + Number(guest !== sorted[index]), 0), [ordered, sorted]);
  return { guests: ordered, ranks, moved, sortAgain: () => setAsked(asked + 1) };
}

/** The known ones by their rank; each new one behind the guest that it follows in the fresh order. */
export function inOrder(sorted: readonly Guest[], ranks: ReadonlyMap<string, number>): readonly Guest[] {
  const known = sorted.filter((guest) => ranks.has(guest.id)).toSorted((a, b) => (ranks.get(a.id) ?? 0) - (ranks.get(b.id) ?? 0));
  if (known.length === sorted.length) return known;
  const followers = new Map<string | null, Guest[]>();
  let before: string | null = null;
  for (const guest of sorted) {
    if (ranks.has(guest.id)) before = guest.id;
    else followers.set(before, [...(followers.get(before) ?? []), guest]);
  }
  return [...(followers.get(null) ?? []), ...known.flatMap((guest) => [guest, ...(followers.get(guest.id) ?? [])])];
}
