import { defaultRangeExtractor, useVirtualizer } from "@tanstack/react-virtual";
import { type RefObject, useCallback, useRef } from "react";
import type { GridRow } from "./TreeGrid";

/** Which rows are in the page: those in sight, the focused one, and the open ancestors of the first one in sight. */
export function useGridRows(scroller: RefObject<HTMLDivElement | null>, rows: readonly GridRow[], focusIndex: number) {
  const stuck = useRef<ReadonlyMap<number, number>>(new Map());
  // The virtualizer measures all rows again when this function changes, and only then.
  const getItemKey = useCallback((index: number) => rows[index]?.id ?? index, [rows]);
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => rows[index]?.height ?? 32,
    getItemKey,
    overscan: 8,
    rangeExtractor: (range) => {
      stuck.current = stickyRows(rows, range.startIndex, (index) => virtualizer.measurementsCache[index]?.start ?? 0, scroller.current?.scrollTop ?? 0);
      const indexes = new Set([...stuck.current.keys(), ...defaultRangeExtractor(range)]);
      if (focusIndex < rows.length) indexes.add(focusIndex);
      return [...indexes].toSorted((a, b) => a - b);
    },
  });
  return { virtualizer, stuck: stuck.current, items: virtualizer.getVirtualItems() };
}

/**
 * The ancestors that stay at the top, with their distance from it. Each one that is stuck covers the next rows,
 * so the row that decides is searched below what already covers the list.
 */
export function stickyRows(rows: readonly GridRow[], firstInSight: number, startOf: (index: number) => number, scrollTop: number): ReadonlyMap<number, number> {
  const result = new Map<number, number>();
  let covered = 0;
  let level = 1;
  for (let index = firstInSight; index < rows.length; index++) {
    const row = rows[index];
    if (!row || startOf(index) + row.height <= scrollTop + covered) continue;
    const ancestor = ancestorAt(rows, index, level);
    if (ancestor === -1) break;
    const height = rows[ancestor]?.height ?? 0;
    if (startOf(ancestor) >= scrollTop + covered) break;
    result.set(ancestor, covered);
    covered += height;
    level += 1;
  }
  return result;
}

/** The sticky row of this level that holds the row at `index` (or is it), or -1. */
function ancestorAt(rows: readonly GridRow[], index: number, level: number): number {
  for (let above = index; above >= 0; above--) {
    const row = rows[above];
    if (!row || row.level < level) return -1;
    if (row.level === level) return row.sticky ? above : -1;
  }
  return -1;
}
