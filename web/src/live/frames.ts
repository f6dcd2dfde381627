import type { Cluster, Guest, Job, Node } from "../api/model";

/** What the server says over the live link. The view inside is current at the moment of delivery; null when the thing is gone by then. */
export type Frame = { readonly seq: number } & (
  | { readonly kind: "cluster.changed"; readonly cluster: Cluster | null }
  | { readonly kind: "cluster.removed"; readonly id: string }
  | { readonly kind: "node.changed"; readonly node: Node | null }
  | { readonly kind: "guest.changed" | "updates.changed"; readonly guest: Guest | null }
  | { readonly kind: "guest.gone"; readonly id: string }
  | { readonly kind: "agent.state"; readonly id: string; readonly state?: Guest["agent"]["state"]; readonly guest?: Guest | null }
  | { readonly kind: "job.changed"; readonly job: Job | null }
  | { readonly kind: "job.log"; readonly job: string; readonly n: number }
  | { readonly kind: "discovery.finished"; readonly id?: string; readonly cluster?: string }
  | { readonly kind: "resync" }
);

export const frameKinds = [
  "cluster.changed",
  "cluster.removed",
  "node.changed",
  "guest.changed",
  "updates.changed",
  "guest.gone",
  "agent.state",
  "job.changed",
  "job.log",
  "discovery.finished",
  "resync",
] as const satisfies readonly Frame["kind"][];

/** Reads one frame; null for what this version does not know. */
export function parseFrame(kind: string, data: string): Frame | null {
  if (!(frameKinds as readonly string[]).includes(kind)) return null;
  try {
    return { ...(JSON.parse(data) as object), kind } as Frame;
  } catch {
    return null;
  }
}
