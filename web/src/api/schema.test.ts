import { readFileSync } from "node:fs";
import openapiTS, { astToString } from "openapi-typescript";
import { expect, it } from "vitest";

it("schema.gen.ts is what openapi.yaml says; `npm run generate` writes it anew", async () => {
  const ast = await openapiTS(new URL("../../../openapi.yaml", import.meta.url));
  const body = (text: string) => text.replace(/^\/\*\*[\s\S]*?\*\/\s*/, "").trim();
  expect(body(readFileSync("src/api/schema.gen.ts", "utf8"))).toBe(body(astToString(ast)));
});
