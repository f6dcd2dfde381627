import { describe, expect, it } from "vitest";
import { aCluster } from "../test/fixtures";
import { missingWord } from "./sum";

const missing = (change: Partial<ReturnType<typeof aCluster>["rollup"]>) => missingWord({ ...aCluster().rollup, ...change });

describe("missingWord", () => {
  it("says nothing when every guest that runs is in the sum, and nothing about no guests", () => {
    expect([missing({ updates_total: 3 }), missing({})]).toEqual(["", ""]);
  });
  it("says how many guests a sum leaves out", () => expect(missing({ updates_total: 0, unknown: 2 })).toBe("2 unknown"));
  it("never scanned is not failed", () => {
    expect([missing({ unknown: 2 }), missing({ unknown: 2, marks: { failed: 1 } })]).toEqual(["never scanned", "2 unknown"]);
  });
});
