import { describe, expect, it } from "vitest";
import { count, listed, number } from "./plural";
import { binarySize, downloadSize } from "./size";
import { age, duration, until } from "./time";

const plain = (text: string) => text.replaceAll("\u00A0", " ");
const now = Date.parse("2026-06-01T12:00:00Z");
const before = (seconds: number) => new Date(now - seconds * 1000).toISOString();

describe("numbers", () => {
  it.each([[0, "0"], [9999, "9999"], [10_000, "10\u2009000"], [1_234_567, "1\u2009234\u2009567"]])("%i is %j", (value, text) => expect(number(value)).toBe(text));
  it("has no 1 guests", () => expect([count(1, "guest", "guests"), count(2, "guest", "guests"), count(0, "guest", "guests")]).toEqual(["1 guest", "2 guests", "0 guests"]));
  it("lists a few names and counts the rest", () => expect([listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c", "d", "e"], 2)]).toEqual(["a", "a and b", "a, b and 3 more"]));
});

describe("times", () => {
  it.each([[0, "now"], [4, "now"], [48, "48 s"], [240, "4 min"], [7200, "2 h"], [86_400 * 23, "23 d"], [86_400 * 40, "22 Apr 2026"]])("%i s ago is %j", (seconds, text) => expect(plain(age(before(seconds), now))).toBe(text));
  it("does not show a time of the future as negative", () => expect(age(before(-30), now)).toBe("now"));
  it.each([[0, "0 s"], [900, "900 ms"], [31_000, "31 s"], [271_000, "4 min 31 s"], [7_500_000, "2 h 5 min"], [86_400_000, "1 d"]])("%i ms last %j", (milliseconds, text) => expect(plain(duration(milliseconds))).toBe(text));
  it("says how long something is still valid", () => expect([plain(until(before(-3600), now)), until(before(5), now)]).toEqual(["1 h", "now"]));
});

describe("sizes", () => {
  it("shows memory as PVE does and downloads in MB", () => expect([binarySize(2 * 2 ** 30), binarySize(512 * 2 ** 20), downloadSize(3_100_000), downloadSize(900)].map(plain)).toEqual(["2 GiB", "512 MiB", "3.1 MB", "1 kB"]));
});

describe("the words of all features", () => {
  const tables = import.meta.glob<Record<string, unknown>>("../**/words.ts", { eager: true });
  const all = Object.entries(tables).flatMap(([file, module]) => texts(module).map((text) => ({ file, text })));

  it("are found", () => expect(all.length).toBeGreaterThan(250));
  it.each(["please", "successfully", "oops", "failed to", "unknown error", "undefined", "NaN"])("never say %j", (bad) => {
    const whole = new RegExp(String.raw`(^|\W)${bad.replaceAll(/[()]/g, String.raw`\$&`)}(\W|$)`, "i");
    expect(all.filter(({ text }) => whole.test(text))).toEqual([]);
  });
  it("do not shout", () => expect(all.filter(({ text }) => /![ .]|!$/.test(text))).toEqual([]));
  it("are in sentence case", () => {
    const titled = all.filter(({ text }) => /^([A-Z][a-z]+ ){2,}[A-Z][a-z]+$/.test(text));
    expect(titled).toEqual([]);
  });
});

/** All texts of a table of words; functions are asked with a number and with a name. */
function texts(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value === "function") {
    return [1, 2].flatMap((sample) => texts((value as (...given: unknown[]) => unknown)(sample, sample, sample)));
  }
  if (typeof value === "object" && value !== null) return Object.values(value).flatMap(texts);
  return [];
}
