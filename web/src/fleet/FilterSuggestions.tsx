import { useMemo } from "react";
import { filterKeys, valuesOf } from "./filter";
import type { ClusterTree } from "./tree";
import { allGuests } from "./useFleet";

const most = 12;

/** Completions of the token that is being typed, with the number of guests behind each. */
export function FilterSuggestions({ id, query, trees }: { id: string; query: string; trees: ReadonlyMap<string, ClusterTree> }) {
  const suggestions = useMemo(() => suggest(query, trees), [query, trees]);
  return (
    <datalist id={id}>
      {suggestions.map(({ text, amount }) => (
        <option key={text} value={text}>
          {amount}
        </option>
      ))}
    </datalist>
  );
}

function suggest(query: string, trees: ReadonlyMap<string, ClusterTree>): readonly { text: string; amount: number }[] {
  const space = query.lastIndexOf(" ");
  const before = query.slice(0, space + 1);
  const last = query.slice(space + 1).toLowerCase();
  const key = filterKeys.find((each) => last.startsWith(`${each}:`));
  if (!key) return [];
  const typed = last.slice(key.length + 1);
  const amounts = new Map<string, number>();
  for (const guest of allGuests(trees)) {
    const value = valuesOf(guest, key)[0];
    if (value?.includes(typed) && !value.includes(" ")) amounts.set(value, (amounts.get(value) ?? 0) + 1);
  }
  return [...amounts]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, most)
    .map(([value, amount]) => ({ text: `${before}${key}:${value}`, amount }));
}
