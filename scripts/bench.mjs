// Measures what the product promises, and prints each figure beside its target: as a table, and as JSON in target/bench.json.
// Needs the dashboard (`make web`) and, for its size, the static agent (`make agent`).
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { loadavg, arch } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const out = join(root, "target/bench");

/** Promises that no bench measures yet, so that nobody takes silence for success. */
const unmeasured = [
  ["change on the screen after what our own actions cause", "no bench drives a browser and agents together yet"],
  ["command to an online agent", "the bench of the agents' links"],
  ["5,000 agents reconnect at once", "the bench of the agents' links"],
  ["100 LXC agents installed by console, 4 nodes", "no bench installs by console yet"],
  ["agent: memory", "no bench looks at a running agent yet"],
  ["agent: growth over 100,000 heartbeats and 1,000 scans", "no bench runs an agent that long yet"],
];

function cargo(args) {
  const ran = spawnSync("cargo", args, { cwd: root, stdio: ["ignore", "pipe", "inherit"], encoding: "utf8" });
  if (ran.status !== 0) throw new Error(`cargo ${args.join(" ")} ended with ${ran.status}`);
  return ran.stdout;
}

/** What the simulator can answer at most: no figure that needs more of it says anything about Muster. */
function ceiling() {
  const said = cargo(["run", "--quiet", "--release", "-p", "proxmox-sim", "--example", "ceiling"]);
  return [{ bench: "simulator", what: "the simulator's own ceiling", measured: Number.parseFloat(said), unit: "answers/s", target: null, pass: null }];
}

function agentSize() {
  const name = { x64: "x86_64", arm64: "aarch64" }[arch()];
  const file = join(root, "target/agents", `muster-agent-${name}`);
  if (!existsSync(file)) return [{ bench: "agent", what: "agent: size", missing: "build it first: make agent" }];
  const measured = statSync(file).size / 1e6;
  return [{ bench: "agent", what: "agent: size", measured, unit: "MB", target: 5, pass: measured <= 5 }];
}

function row({ bench, what, measured, unit, target, pass, missing }) {
  const verdict = missing ? `not measured: ${missing}` : pass === null ? "" : pass ? "pass" : "MISS";
  const number = (value) => (value === null || value === undefined ? "" : `${value.toLocaleString("en", { maximumFractionDigits: 1 })} ${unit}`);
  return [bench, what, number(measured), target === null || target === undefined ? "" : `≤ ${number(target)}`, verdict];
}

function print(rows) {
  const table = [["bench", "what", "measured", "target", ""], ...rows.map(row)];
  const widths = table[0].map((_, column) => Math.max(...table.slice(0, rows.length + 1).map((cells) => (column === 4 ? 0 : cells[column].length))));
  for (const cells of table) console.log(cells.map((cell, column) => (column === 2 || column === 3 ? cell.padStart(widths[column]) : cell.padEnd(widths[column]))).join("  ").trimEnd());
}

const before = loadavg()[0];
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
// Every bench of the package, each of which leaves its figures in a file.
cargo(["bench", "--quiet", "-p", "muster-tests"]);
const measured = readdirSync(out)
  .toSorted()
  .flatMap((file) => JSON.parse(readFileSync(join(out, file), "utf8")).map((figure) => ({ bench: file.replace(/\.json$/, ""), ...figure })));
const silent = unmeasured.filter(([what]) => !measured.some((figure) => figure.what.startsWith(what))).map(([what, missing]) => ({ bench: "", what, missing }));
const rows = [...measured, ...agentSize(), ...ceiling(), ...silent];
const load = { before, after: loadavg()[0] };
writeFileSync(join(root, "target/bench.json"), `${JSON.stringify({ load, figures: rows }, null, 2)}\n`);
print(rows);
console.log(`\nload of the machine: ${load.before.toFixed(1)} before, ${load.after.toFixed(1)} after; the same as JSON: target/bench.json`);
