import { useDeferredValue, useMemo } from "react";
import type { Guest } from "../api/model";
import { inShow, isEmptyFilter, matches, parseFilter, type Show } from "./filter";
import { type FleetRow, type Heights, listRows, treeRows } from "./rows";
import type { Sort } from "./sort";
import { allGuests, type Fleet } from "./useFleet";
import { useSteadyOrder } from "./useSteadyOrder";

interface Wanted {
  readonly isList: boolean;
  readonly query: string;
  readonly show: Show;
  readonly sort: Sort | undefined;
  readonly isOpen: (id: string) => boolean;
  readonly selected: ReadonlySet<string>;
  readonly heights: Heights;
}

interface FleetRows {
  readonly rows: readonly FleetRow[];
  /** Null when nothing is filtered. */
  readonly match: ((guest: Guest) => boolean) | null;
  /** How many rows would stand elsewhere if they were sorted again, and how to do that. */
  readonly moved: number;
  readonly sortAgain: () => void;
}

/** The fleet as rows: filtered, sorted, as a tree or as one list. */
export function useFleetRows(fleet: Fleet, { isList, query, show, sort, isOpen, selected, heights }: Wanted): FleetRows {
  const deferred = useDeferredValue(query);
  const match = useMemo(() => matcher(deferred, show), [deferred, show]);
  const isSorted = isList || sort !== undefined;
  const guests = useMemo(() => (isSorted ? allGuests(fleet.trees).filter((guest) => !match || match(guest)) : none), [isSorted, fleet.trees, match]);
  const { guests: ordered, ranks, moved, sortAgain } = useSteadyOrder(guests, sort ?? "name", `${deferred} ${show}`);
  const rows = useMemo(() => {
    if (!isList) return treeRows({ clusters: fleet.clusters, trees: fleet.trees, isOpen, selected, match, ranks: sort ? ranks : null, heights });
    // With one cluster its name says nothing.
    const names = new Map(fleet.clusters.length > 1 ? fleet.clusters.map((cluster) => [cluster.id, cluster.name]) : []);
    return listRows(ordered, names, selected, heights.guest);
  }, [fleet.clusters, fleet.trees, isList, isOpen, selected, match, sort, ranks, ordered, heights]);
  return { rows, match, moved, sortAgain };
}

const none: readonly Guest[] = [];

function matcher(query: string, show: Show): ((guest: Guest) => boolean) | null {
  const filter = parseFilter(query);
  if (isEmptyFilter(filter) && show === "all") return null;
  return (guest) => inShow(guest, show) && matches(guest, filter);
}
