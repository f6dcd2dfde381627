import { readFileSync } from "node:fs";
import openapiTS, { astToString } from "openapi-typescript";
import { expect, it } from "vitest";

/** Without the remark at the top, which only one of the two ways writes. */
const body = (text: string) => text.replace(/^\/\*\*[\s\S]*?\*\/\s*/, "").trim();

it("schema.gen.ts is what openapi.yaml says; `npm run generate` writes it anew", async () => {
  const ast = await openapiTS(new URL("../../../openapi.yaml", import.meta.url), { defaultNonNullable: false });
  expect(body(readFileSync("src/api/schema.gen.ts", "utf8"))).toBe(body(astToString(ast)));
});
