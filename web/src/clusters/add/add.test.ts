import { describe, expect, it } from "vitest";
import { asUrl } from "./flow";
import { newTokenLines } from "./pveum";

describe("asUrl", () => {
  it.each([
    ["192.168.1.10", "https://192.168.1.10:8006"],
    [" pve1.lan:443/ ", "https://pve1.lan:443"],
    ["https://pve1.lan", "https://pve1.lan:8006"],
    ["HTTPS://PVE1:8006//", "HTTPS://PVE1:8006"],
    ["[fd00::1]", "https://[fd00::1]:8006"],
  ])("%j means %j", (typed, url) => expect(asUrl(typed)).toBe(url));
});

describe("newTokenLines", () => {
  it("names the rights of each release, which refuses those of the other", () => {
    expect(newTokenLines("9", false)).toContain("VM.GuestAgent.Unrestricted");
    expect(newTokenLines("9", false)).not.toContain("VM.Monitor");
    expect(newTokenLines("8", false)).toContain("VM.Monitor");
    expect(newTokenLines("8", false)).not.toContain("VM.GuestAgent");
  });
  it("gives an audit role nothing that changes anything", () => {
    for (const release of ["8", "9"] as const) expect(newTokenLines(release, true)).not.toMatch(/Console|PowerMgmt|Snapshot|Backup|Allocate|Unrestricted/);
  });
  it("uses the token ID that was typed, and its own while it is not one", () => {
    expect(newTokenLines("9", false, "ops@pve!m2")).toContain("pveum user token add ops@pve m2 --privsep 1");
    expect(newTokenLines("9", false, "'; rm -rf /")).toContain("pveum user token add muster@pve main --privsep 1");
  });
});
