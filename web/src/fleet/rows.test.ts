import { describe, expect, it } from "vitest";
import { aCluster, aGuest, aNode, aTree } from "../test/fixtures";
import { type Shape, treeRows } from "./rows";
import type { ClusterTree } from "./tree";

const heights = { cluster: 38, node: 34, guest: 32 };
const tree = aTree([aGuest({ vmid: 102 }), aGuest({ vmid: 101, tags: ["web"] }), aGuest({ vmid: 200, node: "pve2" })], [aNode("pve1"), aNode("pve2")]);

function shape(change: Partial<Shape> = {}): Shape {
  return { clusters: [tree.cluster], trees: new Map([["c1", tree]]), isOpen: () => true, selected: new Set(), match: null, ranks: null, heights, ...change };
}

const outline = (rows: ReturnType<typeof treeRows>) => rows.map((row) => `${row.level} ${row.id}`);

describe("treeRows", () => {
  it("lists cluster, nodes and guests in reading order, guests by vmid", () => {
    expect(outline(treeRows(shape()))).toEqual(["1 c1", "2 n-pve1", "3 g101", "3 g102", "2 n-pve2", "3 g200"]);
  });

  it("leaves out what is closed, and only that", () => {
    expect(outline(treeRows(shape({ isOpen: (id) => id !== "n-pve1" })))).toEqual(["1 c1", "2 n-pve1", "2 n-pve2", "3 g200"]);
    expect(outline(treeRows(shape({ isOpen: () => false })))).toEqual(["1 c1"]);
  });

  it("keeps the ancestors of a match, opens them and says how many of all are shown", () => {
    const rows = treeRows(shape({ isOpen: () => false, match: (guest) => guest.tags.includes("web") }));
    expect(outline(rows)).toEqual(["1 c1", "2 n-pve1", "3 g101"]);
    expect(rows[0]).toMatchObject({ expanded: true, shown: 1 });
    expect(rows[1]).toMatchObject({ setSize: 1, posInSet: 1, shown: 1 });
  });

  it("sorts the guests of a node by their ranks, and leaves the nodes where they are", () => {
    const ranks = new Map([["g200", 0], ["g102", 1], ["g101", 2]]);
    expect(outline(treeRows(shape({ ranks })))).toEqual(["1 c1", "2 n-pve1", "3 g102", "3 g101", "2 n-pve2", "3 g200"]);
  });

  it("drops a cluster in which nothing matches", () => {
    expect(treeRows(shape({ match: () => false }))).toEqual([]);
  });

  it("puts one waiting row below an open cluster that has not been read", () => {
    const rows = treeRows(shape({ clusters: [aCluster()], trees: new Map<string, ClusterTree>() }));
    expect(rows.map((row) => row.kind)).toEqual(["cluster", "wait"]);
  });

  it("numbers siblings for screen readers", () => {
    const guests = treeRows(shape()).filter((row) => row.kind === "guest" && row.guest.node === "pve1");
    expect(guests.map((row) => [row.posInSet, row.setSize])).toEqual([[1, 2], [2, 2]]);
  });

  it("makes 20,000 rows in less time than a person notices", () => {
    const many = aTree(Array.from({ length: 20_000 }, (_, index) => aGuest({ vmid: 100 + index })));
    expect(treeRows(shape({ trees: new Map([["c1", many]]) }))).toHaveLength(20_002);
  });
});
