import { describe, expect, it } from "vitest";
import { aCluster, aGuest, aNode } from "../test/fixtures";
import { needs, nextStep, notKnown, sentence, summarize } from "./summary";

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
    expect(found.map((need) => [need.kind, "guests" in need ? need.guests.length : 1])).toEqual([["hosts", 1], ["locked", 1], ["backup", 2], ["stopped", 1]]);
  });
});

const may = (...names: string[]) => names.map((name) => ({ name, allowed: true }));
const step = (...guests: ReturnType<typeof aGuest>[]) => nextStep(summarize(guests), guests);

describe("the next step", () => {
  const byHand = aGuest({ vmid: 1, agent: { state: "none" }, reach: { best: "by_hand", label: "by hand" }, updates: { state: "unknown" }, actions: may("scan", "install_agent") });
  const reached = aGuest({ vmid: 2, updates: { state: "stale", total: 3, security: 0 }, actions: may("scan") });

  it("is an agent where the only way in is by hand: a scan would come to nothing there", () => expect(step(byHand)).toEqual({ kind: "install", guests: ["g1"] }));
  it("is a scan where somebody can be reached at once", () => expect(step(byHand, reached)).toEqual({ kind: "scan", guests: ["g2"] }));
  it("is security before both", () => expect(step(byHand, reached, fresh(3, 1, 1))).toEqual({ kind: "security", guests: ["g3"] }));
  it("is nothing when everything is known and nothing waits", () => expect(step(fresh(1, 0))).toBeNull());
});

describe("what is not known", () => {
  it("names failed scans first and leaves out templates, which never run", () => {
    const guests = [never(1), aGuest({ vmid: 2, updates: { state: "failed" } }), aGuest({ vmid: 3, updates: { state: "unknown" }, template: true }), fresh(4, 0)];
    expect(notKnown(summarize(guests)).map((guest) => guest.vmid)).toEqual([2, 1]);
  });
});
