import { describe, expect, it } from "vitest";
import { aCluster, aGuest, aNode } from "../test/fixtures";
import { needs, sentence, summarize } from "./summary";

const fresh = (vmid: number, total: number, security = 0) => aGuest({ vmid, updates: { state: "fresh", total, security } });
const never = (vmid: number) => aGuest({ vmid, updates: { state: "unknown" } });

const say = (...guests: ReturnType<typeof aGuest>[]) => sentence(summarize(guests));

describe("the one sentence", () => {
  it("names security first", () => expect(say(fresh(1, 5, 2), fresh(2, 9), never(3))).toBe("1 guest needs security updates."));
  it("then other updates", () => expect(say(fresh(1, 5), fresh(2, 1))).toBe("2 guests have updates, none of them for security."));
  it("says up to date about all only when all are known", () => expect(say(fresh(1, 0), fresh(2, 0))).toBe("All 2 guests are up to date."));
  it("speaks only of what was scanned when something was not", () => expect(say(fresh(1, 0), never(2))).toBe("1 scanned guest is up to date."));
  it("does not call an unknown fleet up to date", () => expect(say(never(1), never(2))).toBe("No guest has been scanned yet."));
  it("does not count a failed scan as zero updates", () => expect(say(aGuest({ updates: { state: "failed" } }))).toBe("No guest has been scanned yet."));
});

describe("needs", () => {
  it("lists each guest once, with its most important reason, clusters first", () => {
    const broken = aGuest({ vmid: 1, updates: { state: "failed" }, agent: { state: "offline" } });
    const stuck = aGuest({ vmid: 2, reach: { label: "no way in", needs_step: "Set cmode." } });
    const off = aGuest({ vmid: 3, status: "stopped", agent: { state: "offline" } });
    const found = needs([aCluster({ status: "error" })], [], [stuck, broken, off]);
    expect(found.map((need) => [need.kind, "guest" in need ? need.guest.vmid : null])).toEqual([["cluster", null], ["failed", 1], ["reach", 2], ["stopped", null]]);
  });
  it("says what a token alone tells: host updates, guests without a backup, locked and stopped ones", () => {
    const nodes = [aNode("pve1", { updates: { state: "fresh", total: 12, security: 2 } }), aNode("pve2", { updates: { state: "fresh", total: 0 } }), aNode("pve3")];
    const found = needs([aCluster()], nodes, [aGuest({ vmid: 1, backup: "none" }), aGuest({ vmid: 2, backup: "none", lock: "backup" }), aGuest({ vmid: 3, status: "stopped" }), aGuest({ vmid: 4, backup: "none", template: true })]);
    expect(found.map((need) => [need.kind, "guests" in need ? need.guests.length : 1])).toEqual([["node", 1], ["locked", 1], ["backup", 2], ["stopped", 1]]);
  });
});
