import { describe, expect, it } from "vitest";
import { gridKey } from "./keys";
import type { GridRow } from "./TreeGrid";
import { stickyRows } from "./useGridRows";

const press = (key: string, held: Partial<Record<"shiftKey" | "ctrlKey" | "metaKey" | "altKey", boolean>> = {}) =>
  gridKey({ key, shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, ...held });

describe("gridKey", () => {
  it("moves by arrows and by J and K", () => {
    expect(press("ArrowDown")).toEqual({ kind: "move", to: "by", by: 1 });
    expect(press("j")).toEqual(press("ArrowDown"));
    expect(press("K")).toEqual(press("ArrowUp"));
  });
  it("opens the menu by three keys", () => {
    expect([press("."), press("ContextMenu"), press("F10", { shiftKey: true })]).toEqual([{ kind: "menu" }, { kind: "menu" }, { kind: "menu" }]);
  });
  it("selects all by Ctrl A and Cmd A, and leaves other shortcuts to the browser", () => {
    expect([press("a", { ctrlKey: true }), press("A", { metaKey: true })]).toEqual([{ kind: "selectAll" }, { kind: "selectAll" }]);
    expect([press("r", { ctrlKey: true }), press("ArrowLeft", { altKey: true }), press("Tab")]).toEqual([null, null, null]);
  });
  it("passes letters on", () => expect(press("S", { shiftKey: true })).toEqual({ kind: "letter", letter: "s" }));
});

const row = (id: string, level: number, height: number): GridRow => ({ id, level, height, posInSet: 1, setSize: 1, selected: false, sticky: level < 3 });

describe("stickyRows", () => {
  // One cluster (40), two nodes (30) with five guests (20) each, then another cluster.
  const rows = [row("c1", 1, 40), row("n1", 2, 30), ...guests("a"), row("n2", 2, 30), ...guests("b"), row("c2", 1, 40), row("n3", 2, 30), ...guests("c")];
  const starts = rows.map((_, index) => rows.slice(0, index).reduce((sum, each) => sum + each.height, 0));
  const stuckAt = (scrollTop: number) => {
    const first = starts.findIndex((start, index) => start + (rows[index]?.height ?? 0) > scrollTop);
    return [...stickyRows(rows, first, (index) => starts[index] ?? 0, scrollTop)].map(([index, top]) => [rows[index]?.id, top]);
  };
  function guests(name: string): GridRow[] {
    return Array.from({ length: 5 }, (_, index) => row(`${name}${index}`, 3, 20));
  }

  it("keeps nothing while everything stands in its place", () => expect(stuckAt(0)).toEqual([]));
  it("keeps the cluster and the node of the guests in sight", () => expect(stuckAt(60)).toEqual([["c1", 0], ["n1", 40]]));
  it("takes over the next node when the first one is left", () => expect(stuckAt(160)).toEqual([["c1", 0], ["n2", 40]]));
  it("changes to the next cluster", () => expect(stuckAt(330)).toEqual([["c2", 0], ["n3", 40]]));
});
