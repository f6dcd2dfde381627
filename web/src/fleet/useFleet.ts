import { useQueries, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { Cluster, Guest } from "../api/model";
import { queries } from "../api/queries";
import type { ClusterTree } from "./tree";

/** Up to this many guests everything is read at once; above it a cluster is read when somebody looks into it. */
const readAllUpTo = 2000;

export interface Fleet {
  readonly clusters: readonly Cluster[];
  readonly trees: ReadonlyMap<string, ClusterTree>;
  readonly loading: boolean;
  /** Which clusters there are is known; false when even their list could not be read. */
  readonly known: boolean;
  /** All guests of all clusters are here. */
  readonly complete: boolean;
  readonly error: Error | null;
  readonly retry: () => void;
}

/** The fleet as far as it is needed: every cluster with its sums, and the trees of those that `wanted` names. */
export function useFleet(wanted: "all" | ((cluster: string) => boolean)): Fleet {
  const list = useQuery(queries.clusters);
  const clusters = useMemo(() => list.data?.toSorted(byName) ?? none, [list.data]);
  const all = wanted === "all" || totalGuests(clusters) <= readAllUpTo;
  const combined = useQueries({
    queries: clusters.map((cluster) => ({ ...queries.tree(cluster.id), enabled: all || wanted(cluster.id) })),
    combine: combineTrees,
  });
  return useMemo(
    () => ({
      // The tree's own copy of a cluster is never newer than the list's.
      clusters,
      trees: combined.trees,
      loading: list.isPending,
      known: list.data !== undefined,
      complete: !list.isPending && combined.trees.size === clusters.length,
      error: list.error ?? combined.error,
      retry: () => void (list.error ? list.refetch() : combined.retry()),
    }),
    [clusters, combined, list],
  );
}

export function totalGuests(clusters: readonly Cluster[]): number {
  return clusters.reduce((sum, cluster) => sum + cluster.rollup.guests, 0);
}

export function allGuests(trees: ReadonlyMap<string, ClusterTree>): Guest[] {
  return [...trees.values()].flatMap((tree) => [...tree.guests.values()]);
}

const none: readonly Cluster[] = [];

const collator = new Intl.Collator(undefined, { numeric: true });
/** As people count: "Fleet 2" before "Fleet 10". */
const byName = (a: Cluster, b: Cluster) => collator.compare(a.name, b.name);

function combineTrees(results: readonly { data?: ClusterTree; error: Error | null; refetch: () => unknown }[]) {
  const trees = new Map<string, ClusterTree>();
  for (const { data } of results) if (data) trees.set(data.cluster.id, data);
  return {
    trees,
    error: results.find((result) => result.error)?.error ?? null,
    retry: () => results.forEach((result) => result.error && result.refetch()),
  };
}
