import type { Cluster, Guest, Hierarchy, Node } from "../api/model";

/** One cluster with everything in it, in the form that live events can change one guest at a time. */
export interface ClusterTree {
  readonly cluster: Cluster;
  readonly nodes: readonly Node[];
  readonly guests: ReadonlyMap<string, Guest>;
}

/** Turns the server's nested answer into flat lists: a guest that migrates then only changes its `node`. */
export function asTree({ cluster, nodes }: Hierarchy): ClusterTree {
  const guests = new Map<string, Guest>();
  const flat = nodes.map(({ guests: own, ...node }) => {
    for (const guest of own ?? []) guests.set(guest.id, guest);
    return node;
  });
  return { cluster, nodes: flat, guests };
}

const groupings = new WeakMap<ReadonlyMap<string, Guest>, ReadonlyMap<string, readonly Guest[]>>();

/** The guests of each node (by name) in the order of their vmid. Grouped once per version of the tree. */
export function guestsByNode(tree: ClusterTree): ReadonlyMap<string, readonly Guest[]> {
  const known = groupings.get(tree.guests);
  if (known) return known;
  const grouped = new Map<string, Guest[]>();
  for (const guest of tree.guests.values()) {
    const list = grouped.get(guest.node);
    if (list) list.push(guest);
    else grouped.set(guest.node, [guest]);
  }
  for (const list of grouped.values()) list.sort((a, b) => a.vmid - b.vmid);
  groupings.set(tree.guests, grouped);
  return grouped;
}
