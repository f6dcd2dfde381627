import { describe, expect, it } from "vitest";
import { aGuest } from "../test/fixtures";
import { inShow, matches, parseFilter } from "./filter";

const guest = aGuest({
  name: "nextcloud",
  vmid: 200,
  node: "pve2",
  tags: ["Web"],
  addresses: ["192.168.1.120"],
  system: { id: "debian", name: "Debian 12" },
  lock: "backup",
});

const fits = (text: string) => matches(guest, parseFilter(text));

describe("parseFilter", () => {
  it("tells tokens from words", () => {
    expect(parseFilter("os:debian  Nextcloud tag:web")).toEqual({ tokens: [{ key: "os", value: "debian" }, { key: "tag", value: "web" }], words: ["nextcloud"] });
  });
  it("takes an unknown key as a word, so that fd00:: still finds an address", () => {
    expect(parseFilter("fd00::1")).toEqual({ tokens: [], words: ["fd00::1"] });
  });
  it("ignores a token that is still being typed", () => {
    expect(parseFilter("os:")).toEqual({ tokens: [], words: [] });
  });
});

describe("matches", () => {
  it.each(["next", "200", "20", "192.168", "os:debian", "os:12", "tag:web", "node:pve2", "status:locked", "status:running", "agent:online", "reach:agent", "kind:lxc", "os:debian next", "os:alpine os:debian"])("finds the guest by %j", (text) => {
    expect(fits(text)).toBe(true);
  });
  it.each(["mariadb", "00", "os:alpine", "tag:db", "node:pve1", "os:debian tag:db", "next 300"])("does not find it by %j", (text) => {
    expect(fits(text)).toBe(false);
  });
});

describe("inShow", () => {
  it("counts a guest as unknown when its scan is stale, even with a number", () => {
    const stale = aGuest({ updates: { state: "stale", total: 8, security: 0 } });
    expect([inShow(stale, "unknown"), inShow(stale, "outdated")]).toEqual([true, true]);
  });
  it("never counts a guest without a scan as out of date or up to date", () => {
    const unknown = aGuest({ updates: { state: "unknown" }, tick: "unknown" });
    expect([inShow(unknown, "outdated"), inShow(unknown, "security"), inShow(unknown, "unknown")]).toEqual([false, false, true]);
  });
});
