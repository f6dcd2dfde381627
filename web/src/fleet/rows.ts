import type { Cluster, Guest, Node } from "../api/model";
import type { GridRow } from "../parts/treegrid/TreeGrid";
import { type ClusterTree, guestsByNode } from "./tree";

interface Base extends GridRow {
  /** Shown of all, while a filter hides some. */
  readonly shown?: number;
}
export interface ClusterRow extends Base {
  readonly kind: "cluster";
  readonly cluster: Cluster;
  readonly nodes: number;
}
export interface NodeRow extends Base {
  readonly kind: "node";
  readonly node: Node;
  readonly cluster: Cluster;
  /** All guests of the node, also those that a filter hides. */
  readonly guests: readonly Guest[];
}
export interface GuestRow extends Base {
  readonly kind: "guest";
  readonly guest: Guest;
  readonly clusterName: string;
}
interface WaitRow extends Base {
  readonly kind: "wait";
  readonly cluster: Cluster;
}
export type FleetRow = ClusterRow | NodeRow | GuestRow | WaitRow;

export interface Heights {
  readonly cluster: number;
  readonly node: number;
  readonly guest: number;
}

export interface Shape {
  readonly clusters: readonly Cluster[];
  readonly trees: ReadonlyMap<string, ClusterTree>;
  readonly isOpen: (id: string) => boolean;
  readonly selected: ReadonlySet<string>;
  /** Null when nothing is filtered. */
  readonly match: ((guest: Guest) => boolean) | null;
  /** The place of each guest among its siblings; null for the order of their vmids. */
  readonly ranks: ReadonlyMap<string, number> | null;
  readonly heights: Heights;
}

/** The tree as a flat list in reading order. With a filter, ancestors of matches stay and are open. */
export function treeRows(shape: Shape): readonly FleetRow[] {
  const rows: FleetRow[] = [];
  const found = shape.clusters.map((cluster) => ({ cluster, tree: shape.trees.get(cluster.id), groups: matchingGroups(shape, cluster.id) }));
  const visible = found.filter(({ tree, groups }) => !shape.match || !tree || groups.size > 0);
  for (const [index, { cluster, tree, groups }] of visible.entries()) {
    const expanded = shape.match !== null || shape.isOpen(cluster.id);
    const nodes = tree ? tree.nodes.filter((node) => !shape.match || groups.has(node.name)) : [];
    rows.push({
      kind: "cluster",
      id: cluster.id,
      cluster,
      nodes: tree?.nodes.length ?? 0,
      level: 1,
      posInSet: index + 1,
      setSize: visible.length,
      expanded,
      sticky: true,
      selected: false,
      height: shape.heights.cluster,
      shown: shape.match && tree ? total(groups) : undefined,
    });
    if (!expanded) continue;
    if (!tree) rows.push({ kind: "wait", id: `${cluster.id}/wait`, cluster, level: 2, posInSet: 1, setSize: 1, sticky: false, selected: false, height: shape.heights.guest });
    const all = tree ? guestsByNode(tree) : groups;
    for (const [position, node] of nodes.entries()) rows.push(...nodeRows(shape, cluster, { node, guests: all.get(node.name) ?? [] }, position + 1, nodes.length, groups.get(node.name) ?? []));
  }
  return rows;
}

/** All guests without their tree, in the order given. */
export function listRows(guests: readonly Guest[], names: ReadonlyMap<string, string>, selected: ReadonlySet<string>, height: number): readonly FleetRow[] {
  return guests.map((guest, index) => guestRow(guest, names.get(guest.cluster) ?? "", 1, index + 1, guests.length, selected, height));
}

function nodeRows(shape: Shape, cluster: Cluster, { node, guests: all }: Pick<NodeRow, "node" | "guests">, position: number, setSize: number, guests: readonly Guest[]): FleetRow[] {
  const expanded = shape.match !== null || shape.isOpen(node.id);
  const row: NodeRow = {
    kind: "node",
    id: node.id,
    node,
    cluster,
    guests: all,
    level: 2,
    posInSet: position,
    setSize,
    expanded,
    sticky: true,
    selected: false,
    height: shape.heights.node,
    shown: shape.match ? guests.length : undefined,
  };
  if (!expanded) return [row];
  return [row, ...guests.map((guest, index) => guestRow(guest, cluster.name, 3, index + 1, guests.length, shape.selected, shape.heights.guest))];
}

function guestRow(guest: Guest, clusterName: string, level: number, posInSet: number, setSize: number, selected: ReadonlySet<string>, height: number): GuestRow {
  return { kind: "guest", id: guest.id, guest, content: guest, clusterName, level, posInSet, setSize, sticky: false, selected: selected.has(guest.id), height };
}

function matchingGroups({ trees, match, ranks }: Shape, cluster: string): ReadonlyMap<string, readonly Guest[]> {
  const tree = trees.get(cluster);
  if (!tree) return new Map();
  const groups = guestsByNode(tree);
  if (!match && !ranks) return groups;
  const kept = new Map<string, readonly Guest[]>();
  for (const [node, guests] of groups) {
    const fitting = match ? guests.filter(match) : guests;
    if (fitting.length > 0) kept.set(node, ranks ? fitting.toSorted((a, b) => (ranks.get(a.id) ?? 0) - (ranks.get(b.id) ?? 0)) : fitting);
  }
  return kept;
}

function total(groups: ReadonlyMap<string, readonly Guest[]>): number {
  let sum = 0;
  for (const guests of groups.values()) sum += guests.length;
  return sum;
}
