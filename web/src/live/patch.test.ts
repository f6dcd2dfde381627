import { QueryClient } from "@tanstack/react-query";
import { beforeEach, describe, expect, it } from "vitest";
import { keys } from "../api/keys";
import type { Cluster, Guest, Job } from "../api/model";
import { type ClusterTree, guestsByNode } from "../fleet/tree";
import { aCluster, aGuest, aJob, aNode, aTree } from "../test/fixtures";
import { parseFrame } from "./frames";
import { applyFrames } from "./patch";

let cache: QueryClient;
const tree = () => cache.getQueryData<ClusterTree>(keys.tree("c1"))!;

beforeEach(() => {
  cache = new QueryClient();
  cache.setQueryData(keys.clusters, [aCluster()]);
  cache.setQueryData(keys.tree("c1"), aTree([aGuest({ vmid: 100 }), aGuest({ vmid: 101 })], [aNode("pve1"), aNode("pve2")]));
  cache.setQueryData(keys.jobs, [aJob()]);
});

describe("applyFrames", () => {
  it("changes one guest and leaves the others as the same objects, so that their rows are not drawn again", () => {
    const before = tree();
    applyFrames(cache, [{ seq: 1, kind: "guest.changed", guest: aGuest({ vmid: 100, status: "stopped" }) }]);
    expect(tree().guests.get("g100")?.status).toBe("stopped");
    expect(tree().guests.get("g101")).toBe(before.guests.get("g101"));
    expect(tree().nodes).toBe(before.nodes);
  });

  it("moves a guest that migrated to the other node", () => {
    applyFrames(cache, [{ seq: 1, kind: "guest.changed", guest: aGuest({ vmid: 100, node: "pve2" }) }]);
    expect(guestsByNode(tree()).get("pve1")?.map((guest) => guest.vmid)).toEqual([101]);
    expect(guestsByNode(tree()).get("pve2")?.map((guest) => guest.vmid)).toEqual([100]);
  });

  it("keeps only the last of several states of one guest in a batch", () => {
    applyFrames(cache, [
      { seq: 1, kind: "guest.changed", guest: aGuest({ vmid: 100, status: "stopped" }) },
      { seq: 2, kind: "guest.changed", guest: aGuest({ vmid: 100, status: "running", name: "renamed" }) },
    ]);
    expect(tree().guests.get("g100")).toMatchObject({ status: "running", name: "renamed" });
  });

  it("adds a new guest and takes away one that is gone", () => {
    applyFrames(cache, [
      { seq: 1, kind: "guest.changed", guest: aGuest({ vmid: 300 }) },
      { seq: 2, kind: "guest.gone", id: "g101" },
    ]);
    expect([...tree().guests.keys()]).toEqual(["g100", "g300"]);
  });

  it("sets an agent's state on the guest that is known", () => {
    applyFrames(cache, [{ seq: 1, kind: "agent.state", id: "g100", state: "offline" }]);
    expect(tree().guests.get("g100")?.agent.state).toBe("offline");
  });

  it("keeps the ways in of the guest's own page, which a row does not carry", () => {
    const ways = [{ transport: "agent" as const, label: "Agent", state: "ready" as const, reason: "Connected." }];
    cache.setQueryData<Guest>(keys.guest("g100"), aGuest({ reach: { best: "agent", label: "agent", ways } }));
    applyFrames(cache, [{ seq: 1, kind: "guest.changed", guest: aGuest({ vmid: 100, name: "new" }) }]);
    expect(cache.getQueryData<Guest>(keys.guest("g100"))).toMatchObject({ name: "new", reach: { ways } });
  });

  it("updates, adds and removes clusters", () => {
    applyFrames(cache, [
      { seq: 1, kind: "cluster.changed", cluster: aCluster({ name: "Renamed" }) },
      { seq: 2, kind: "cluster.changed", cluster: aCluster({ id: "c2" }) },
    ]);
    expect(cache.getQueryData<Cluster[]>(keys.clusters)?.map(({ id, name }) => [id, name])).toEqual([["c1", "Renamed"], ["c2", "Homelab"]]);
    expect(tree().cluster.name).toBe("Renamed");
    applyFrames(cache, [{ seq: 3, kind: "cluster.removed", id: "c1" }]);
    expect(cache.getQueryData<Cluster[]>(keys.clusters)?.map(({ id }) => id)).toEqual(["c2"]);
    expect(cache.getQueryData(keys.tree("c1"))).toBeUndefined();
  });

  it("updates a job in its place and puts a new one on top", () => {
    applyFrames(cache, [
      { seq: 1, kind: "job.changed", job: aJob({ state: "succeeded" }) },
      { seq: 2, kind: "job.changed", job: aJob({ id: "j2" }) },
    ]);
    expect(cache.getQueryData<Job[]>(keys.jobs)?.map(({ id, state }) => [id, state])).toEqual([["j2", "running"], ["j1", "succeeded"]]);
  });

  it("knows how long a job's log is by now, and no longer after a resync", () => {
    applyFrames(cache, [{ seq: 1, kind: "job.log", job: "j1", n: 17 }]);
    expect(cache.getQueryData(keys.jobLogEnd("j1"))).toBe(17);
    applyFrames(cache, [{ seq: 2, kind: "resync" }]);
    expect(cache.getQueryData(keys.jobLogEnd("j1"))).toBe(0);
  });

  it("asks for everything again after a resync, and for sums of clusters whose guests changed without them", () => {
    expect(applyFrames(cache, [{ seq: 1, kind: "resync" }]).everything).toBe(true);
    expect([...applyFrames(cache, [{ seq: 2, kind: "guest.changed", guest: aGuest() }]).sums]).toEqual(["c1"]);
    const told = applyFrames(cache, [{ seq: 3, kind: "guest.changed", guest: aGuest() }, { seq: 4, kind: "cluster.changed", cluster: aCluster() }]);
    expect([...told.sums]).toEqual([]);
  });
});

describe("parseFrame", () => {
  it("reads a known frame and drops what is unknown or damaged", () => {
    expect(parseFrame("guest.gone", '{"seq":7,"kind":"guest.gone","id":"g1"}')).toEqual({ seq: 7, kind: "guest.gone", id: "g1" });
    expect(parseFrame("rollout.changed", '{"seq":8}')).toBeNull();
    expect(parseFrame("guest.gone", "{")).toBeNull();
  });
});
