import { describe, expect, it } from "vitest";
import { aGuest } from "../test/fixtures";
import { comparator, nextSort, type Sort } from "./sort";
import { inOrder } from "./useSteadyOrder";

const counted = (vmid: number, total: number | null, security = 0) => aGuest({ vmid, updates: total === null ? { state: "unknown" } : { state: "fresh", total, security } });
const ids = (guests: readonly { vmid: number }[]) => guests.map((guest) => guest.vmid);

describe("comparator", () => {
  const guests = [counted(1, 3), counted(2, null), counted(3, 1, 1), counted(4, 0)];
  const sorted = (sort: Sort) => ids(guests.toSorted(comparator(sort)));
  it("puts security before amounts", () => expect(sorted("-updates")).toEqual([3, 1, 4, 2]));
  it("puts what is not known last, whichever way", () => expect(sorted("updates")).toEqual([4, 1, 3, 2]));
});

describe("nextSort", () => {
  it("goes through most first, least first, none", () => {
    expect(nextSort(undefined, "updates")).toBe("-updates");
    expect(nextSort("-updates", "updates")).toBe("updates");
    expect(nextSort("updates", "updates")).toBeUndefined();
    expect(nextSort("-updates", "name")).toBe("name");
  });
});

describe("inOrder", () => {
  const ranks = new Map([["g3", 0], ["g1", 1], ["g2", 2]]);
  it("keeps the known order and puts a new guest behind the one it follows", () => {
    const fresh = [1, 2, 9, 3].map((vmid) => counted(vmid, 0));
    expect(ids(inOrder(fresh, ranks))).toEqual([3, 1, 2, 9]);
  });
  it("leaves out who is gone", () => expect(ids(inOrder([counted(2, 0), counted(3, 0)], ranks))).toEqual([3, 2]));
});
