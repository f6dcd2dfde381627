import { describe, expect, it } from "vitest";
import { aCluster, aGuest, aNode, aTree } from "../test/fixtures";
import { findEntries } from "./entries";

const scannable = aGuest({ vmid: 200, name: "nextcloud", actions: [{ name: "scan", allowed: true }, { name: "install_agent", allowed: false, reason: "It has an agent." }] });
const fleet = { clusters: [aCluster()], trees: new Map([["c1", aTree([scannable, aGuest({ vmid: 201, name: "next-db" }), aGuest({ vmid: 202, name: "my-next" })], [aNode("pve1")])]]) };
const names = (typed: string) => findEntries(typed, fleet).map((entry) => entry.name);

describe("findEntries", () => {
  it("shows the pages while nothing is typed", () => expect(names("")).toContain("Fleet"));
  it("puts names that begin with the words first", () => expect(names("next")).toEqual(["nextcloud", "next-db", "my-next"]));
  it("offers the allowed actions once one guest is meant", () => expect(names("nextc")).toEqual(["nextcloud", "Scan nextcloud"]));
  it("finds guests by vmid, nodes and clusters by name", () => {
    expect(names("202")).toEqual(["my-next"]);
    expect(names("pve1")).toEqual(["pve1"]);
    expect(names("homelab")).toEqual(["Homelab"]);
  });
  it("finds nothing for what does not exist", () => expect(names("zzz")).toEqual([]));
});
