import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const source = readFileSync("src/styles/tokens.css", "utf8");
const themes = { dark: colours(':root, [data-theme="dark"]'), light: colours('[data-theme="light"]') };
const surfaces = ["bg-0", "bg-1", "bg-2", "bg-3"];

describe.each(Object.entries(themes))("colours of the %s theme", (_, theme) => {
  it.each(["fg-1", "fg-2", "fg-3", "blue", "green", "amber", "red", "violet"])("%s is readable on every surface (WCAG 2.2 AA)", (text) => {
    for (const surface of surfaces) expect(ratio(theme, text, surface)).toBeGreaterThanOrEqual(4.5);
  });
  it.each(["blue", "green", "amber", "red", "violet"])("%s is readable on its own tint", (hue) => {
    expect(ratio(theme, hue, `${hue}-tint`)).toBeGreaterThanOrEqual(4.5);
  });
  it("secondary text is readable on every tint, because notes use it there", () => {
    for (const tint of ["blue-tint", "green-tint", "amber-tint", "red-tint"]) expect(ratio(theme, "fg-2", tint)).toBeGreaterThanOrEqual(4.5);
  });
  it("words on solid buttons are readable", () => {
    expect(ratio(theme, "on-ink", "ink")).toBeGreaterThanOrEqual(4.5);
    for (const solid of ["blue-solid", "red-solid"]) expect(ratio(theme, "on-solid", solid)).toBeGreaterThanOrEqual(4.5);
  });
  it("fills, inputs and focus stand out from the surfaces they lie on", () => {
    for (const fill of ["green-fill", "amber-fill", "red-fill", "violet-fill", "blue-fill", "line-3", "blue"]) {
      for (const surface of ["bg-0", "bg-1", "bg-2"]) expect(ratio(theme, fill, surface)).toBeGreaterThanOrEqual(3);
    }
  });
});

function colours(selector: string): Map<string, string> {
  const start = source.indexOf(`${selector} {`);
  const block = source.slice(start, source.indexOf("}", start));
  return new Map([...block.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6})/gi)].map(([, name, value]) => [name ?? "", value ?? ""]));
}

function ratio(theme: Map<string, string>, a: string, b: string): number {
  const [light, dark] = [luminance(theme, a), luminance(theme, b)].toSorted((x, y) => y - x) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

function luminance(theme: Map<string, string>, name: string): number {
  const value = theme.get(name);
  if (!value) throw new Error(`tokens.css has no colour --${name}`);
  const [r, g, b] = [1, 3, 5].map((at) => {
    const channel = Number.parseInt(value.slice(at, at + 2), 16) / 255;
    return channel <= 0.040_45 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
