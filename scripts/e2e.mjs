// The browser tests against the real server and the simulator, on ports of their own.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { freePort, run, startStack } from "./stack.mjs";

const root = resolve(import.meta.dirname, "..");
const folder = join(mkdtempSync(join(tmpdir(), "muster-e2e-")), "stack");

async function main() {
  await run("cargo", ["build", "--quiet", "-p", "muster", "-p", "proxmox-sim", "--bins"], { cwd: root });
  const { stack, url, link, token, clusters } = await startStack({
    folder,
    port: await freePort(18080),
    bin: join(root, "target/debug"),
    agents: join(root, "target/agents"),
  });
  try {
    const tests = spawn("npx", ["playwright", "test", ...process.argv.slice(2)], {
      cwd: join(root, "web"),
      stdio: "inherit",
      env: {
        ...process.env,
        BASE_URL: url,
        SIGN_IN_LINK: link,
        API_TOKEN: token,
        CLUSTERS: JSON.stringify(clusters),
        SIM_STATE: join(folder, "sim"),
        SIM: join(root, "target/debug/proxmox-sim"),
        MUSTER: join(root, "target/debug/muster"),
      },
    });
    return await new Promise((done) => tests.once("close", done));
  } finally {
    await stack.stop();
  }
}

const code = await main().catch((error) => {
  console.error(error.message);
  return 1;
});
if (code === 0) rmSync(join(folder, ".."), { recursive: true, force: true });
else console.error(`logs of the stack: ${folder}`);
process.exit(code);
