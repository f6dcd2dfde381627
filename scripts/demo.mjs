// `make demo`: builds everything, starts simulated clusters and Muster, prints how to get in, runs until Ctrl-C.
import { spawn } from "node:child_process";
import { join, resolve } from "node:path";

import { Stack, startStack } from "./stack.mjs";

const root = resolve(import.meta.dirname, "..");
const dev = process.argv.includes("--dev");
const port = Number(process.env.DEMO_PORT ?? 8080);

/** Runs a build step with its output on the screen. */
function build(name, program, args) {
  console.log(`building ${name}`);
  return new Promise((done, fail) => {
    const child = spawn(program, args, { cwd: root, stdio: "inherit" });
    child.once("error", fail);
    child.once("close", (code) => (code === 0 ? done() : fail(new Error(`building ${name} failed`))));
  });
}

async function main() {
  await build("the dashboard", "scripts/build.sh", ["web"]);
  await build("the agent", "scripts/build.sh", ["agent"]);
  await build("Muster and the simulator", "cargo", [
    "build",
    "--quiet",
    "--profile=fast",
    "--package=muster",
    "--package=proxmox-sim",
    "--bins",
  ]);
  const { stack, url, link, token, clusters } = await startStack({
    folder: join(root, ".demo"),
    port,
    bin: join(root, "target/fast"),
    agents: join(root, "target/agents"),
  });
  let vite;
  if (dev) {
    vite = new Stack();
    vite.start("npx", ["--prefix", "web", "vite", "web"], "inherit", { MUSTER_URL: url });
  }
  const stop = async () => {
    await vite?.stop();
    await stack.stop();
    process.exit(0);
  };
  process.once("SIGINT", stop).once("SIGTERM", stop);
  for (const child of stack.children) {
    child.once("exit", (code) => {
      console.error(`${child.name} ended with ${code}; its log is in .demo/`);
      stop();
    });
  }

  for (const cluster of clusters.filter((cluster) => !cluster.demo_adds)) {
    console.log(`a cluster to add yourself: ${cluster.endpoints[0]}`);
    console.log(`  certificate ${cluster.fingerprint}`);
    console.log(`  token id ${cluster.token_id}  secret ${cluster.token_secret}`);
  }
  console.log(`change the simulated world with: target/fast/proxmox-sim ctl --state .demo/sim --help`);
  console.log(`demo ready: ${url} sign-in: ${link} token: ${token}`);
}

main().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
