import type { QueryClient } from "@tanstack/react-query";
import { keys } from "../api/keys";
import type { Cluster, Guest, Job, Node } from "../api/model";
import type { ClusterTree } from "../fleet/tree";
import type { Frame } from "./frames";

/** What one batch of frames asks for beyond the patches: answers that must be read again. */
export interface Leftover {
  readonly everything: boolean;
  /** Clusters whose sums may have moved without being told. */
  readonly sums: ReadonlySet<string>;
}

/** Writes a batch of events into the cached answers. Each cached list is copied at most once per batch. */
export function applyFrames(cache: QueryClient, frames: readonly Frame[]): Leftover {
  const clusters = new Map<string, Cluster>();
  const removed = new Set<string>();
  const nodes = new Map<string, Node>();
  const guests = new Map<string, Guest>();
  const gone = new Set<string>();
  const jobs = new Map<string, Job>();
  let everything = false;
  for (const frame of frames) {
    switch (frame.kind) {
      case "cluster.changed":
        if (frame.cluster) clusters.set(frame.cluster.id, frame.cluster);
        break;
      case "cluster.removed":
        removed.add(frame.id);
        break;
      case "node.changed":
        if (frame.node) nodes.set(frame.node.id, frame.node);
        break;
      case "guest.changed":
      case "updates.changed":
        if (frame.guest) guests.set(frame.guest.id, frame.guest);
        break;
      case "agent.state":
        if (frame.guest) guests.set(frame.guest.id, frame.guest);
        else if (frame.state) patchAgent(cache, guests, frame.id, frame.state);
        break;
      case "guest.gone":
        gone.add(frame.id);
        break;
      case "job.changed":
        if (frame.job) jobs.set(frame.job.id, frame.job);
        break;
      case "job.log":
        cache.setQueryData(keys.jobLogEnd(frame.job), frame.n);
        break;
      case "discovery.finished":
        void cache.invalidateQueries({ queryKey: ["discoveries"] });
        break;
      case "resync":
        everything = true;
        // How long the logs are by now was not told: they are read to their end.
        cache.setQueriesData({ queryKey: keys.jobLogEnds }, 0);
        break;
    }
  }
  if (clusters.size + removed.size > 0) patchClusters(cache, clusters, removed);
  if (clusters.size + nodes.size + guests.size + gone.size > 0) patchTrees(cache, clusters, nodes, guests, gone);
  for (const guest of guests.values()) patchGuest(cache, guest);
  for (const job of jobs.values()) patchJob(cache, job);
  const touched = new Set([...guests.values()].map((guest) => guest.cluster));
  for (const id of clusters.keys()) touched.delete(id);
  return { everything, sums: touched };
}

function patchClusters(cache: QueryClient, changed: ReadonlyMap<string, Cluster>, removed: ReadonlySet<string>): void {
  cache.setQueryData<Cluster[]>(keys.clusters, (list) => {
    if (!list) return list;
    const known = new Set(list.map((cluster) => cluster.id));
    const kept = list.filter((cluster) => !removed.has(cluster.id)).map((cluster) => changed.get(cluster.id) ?? cluster);
    return [...kept, ...[...changed.values()].filter((cluster) => !known.has(cluster.id))];
  });
  for (const id of removed) cache.removeQueries({ queryKey: keys.tree(id) });
}

function patchTrees(cache: QueryClient, clusters: ReadonlyMap<string, Cluster>, nodes: ReadonlyMap<string, Node>, guests: ReadonlyMap<string, Guest>, gone: ReadonlySet<string>): void {
  for (const [, tree] of cache.getQueriesData<ClusterTree>({ queryKey: ["tree"] })) {
    if (!tree) continue;
    const id = tree.cluster.id;
    const mine = [...guests.values()].filter((guest) => guest.cluster === id);
    const lost = [...gone].filter((guest) => tree.guests.has(guest));
    const changedNodes = [...nodes.values()].filter((node) => node.cluster === id);
    const cluster = clusters.get(id);
    if (mine.length + lost.length + changedNodes.length === 0 && !cluster) continue;
    cache.setQueryData<ClusterTree>(keys.tree(id), {
      cluster: cluster ?? tree.cluster,
      nodes: changedNodes.length > 0 ? mergeNodes(tree.nodes, changedNodes) : tree.nodes,
      guests: mine.length + lost.length > 0 ? mergeGuests(tree.guests, mine, lost) : tree.guests,
    });
  }
}

function mergeNodes(nodes: readonly Node[], changed: readonly Node[]): readonly Node[] {
  const byId = new Map(changed.map((node) => [node.id, node]));
  const kept = nodes.map((node) => byId.get(node.id) ?? node);
  const added = changed.filter((node) => !nodes.some((each) => each.id === node.id));
  return added.length === 0 ? kept : [...kept, ...added].toSorted((a, b) => a.name.localeCompare(b.name));
}

function mergeGuests(guests: ReadonlyMap<string, Guest>, changed: readonly Guest[], lost: readonly string[]): ReadonlyMap<string, Guest> {
  const merged = new Map(guests);
  for (const guest of changed) merged.set(guest.id, guest);
  for (const id of lost) merged.delete(id);
  return merged;
}

/** The guest's own page holds more than a row (all ways in), so it is read again rather than overwritten. */
function patchGuest(cache: QueryClient, guest: Guest): void {
  cache.setQueryData<Guest>(keys.guest(guest.id), (known) => (known ? { ...guest, reach: { ...guest.reach, ways: guest.reach.ways ?? known.reach.ways } } : known));
  void cache.invalidateQueries({ queryKey: keys.guest(guest.id) });
  void cache.invalidateQueries({ queryKey: keys.guestUpdates(guest.id) });
}

function patchAgent(cache: QueryClient, guests: Map<string, Guest>, id: string, state: Guest["agent"]["state"]): void {
  const known = guests.get(id) ?? findGuest(cache, id);
  if (known && known.agent.state !== state) guests.set(id, { ...known, agent: { ...known.agent, state } });
}

function findGuest(cache: QueryClient, id: string): Guest | undefined {
  for (const [, tree] of cache.getQueriesData<ClusterTree>({ queryKey: ["tree"] })) {
    const guest = tree?.guests.get(id);
    if (guest) return guest;
  }
  return undefined;
}

function patchJob(cache: QueryClient, job: Job): void {
  cache.setQueryData(keys.job(job.id), job);
  void cache.invalidateQueries({ queryKey: keys.jobTargets(job.id) });
  cache.setQueryData<Job[]>(keys.jobs, (list) => {
    if (!list) return list;
    return list.some((each) => each.id === job.id) ? list.map((each) => (each.id === job.id ? job : each)) : [job, ...list];
  });
}
