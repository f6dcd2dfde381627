// Weighs the build: what every visitor loads before the first page, and the largest page chunk, both gzipped.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const initialLimit = 230_000;
const chunkLimit = 60_000;

const dist = join(import.meta.dirname, "../dist");
const weight = (file) => gzipSync(readFileSync(join(dist, file)), { level: 9 }).length;
const html = readFileSync(join(dist, "index.html"), "utf8");

// The entry and everything it imports at once; pages are imported later by name.
const initial = new Set();
const follow = (file) => {
  if (initial.has(file)) return;
  initial.add(file);
  const code = readFileSync(join(dist, file), "utf8");
  for (const [, name] of code.matchAll(/(?:from|import)\s*"\.\/([^"]+\.js)"/g)) follow(`assets/${name}`);
};
for (const [, file] of html.matchAll(/(?:src|href)="\/(assets\/[^"]+\.js)"/g)) follow(file);

const total = [...initial].reduce((sum, file) => sum + weight(file), 0);
const pages = readdirSync(join(dist, "assets")).filter((file) => file.endsWith(".js") && !initial.has(`assets/${file}`));
const heavy = pages.filter((file) => weight(`assets/${file}`) > chunkLimit);

const kB = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;
process.stdout.write(`initial JavaScript ${kB(total)} of ${kB(initialLimit)} in ${initial.size} files\n`);
if (total > initialLimit || heavy.length > 0) {
  process.stderr.write(`over the budget: ${total > initialLimit ? "initial JavaScript" : heavy.join(", ")}\n`);
  process.exit(1);
}
