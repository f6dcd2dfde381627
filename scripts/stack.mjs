// Starts the simulator and Muster as child processes, for the demo and for the browser tests. Needs Node alone.
import { spawn } from "node:child_process";
import { mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";

/** A TCP port nobody listens on at `host`, starting the search at `first`. */
export async function freePort(first, host = "127.0.0.1") {
  for (let port = first; ; port++) {
    const free = await new Promise((resolve) => {
      const server = createServer();
      server.once("error", () => resolve(false));
      server.listen(port, host, () => server.close(() => resolve(true)));
    });
    if (free) return port;
  }
}

/** Runs a program to its end and returns what it printed; throws with its error text when it fails. */
export async function run(program, args, options = {}) {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
  let out = "";
  let err = "";
  child.stdout?.on("data", (chunk) => (out += chunk));
  child.stderr?.on("data", (chunk) => (err += chunk));
  const code = await new Promise((resolve, reject) => child.once("error", reject).once("close", resolve));
  if (code !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${code}: ${(err || out).trim()}`);
  return out.trim();
}

/** Everything that `startStack` started, and how to end it. */
export class Stack {
  children = [];

  /** Starts a program that goes on running; its output goes to `log`. */
  start(program, args, log, env = {}) {
    const child = spawn(program, args, { stdio: ["ignore", log, log], env: { ...process.env, ...env } });
    child.name = program;
    this.children.push(child);
    child.once("error", (error) => (child.failure = error.message));
    return child;
  }

  /** Ends everything, politely first. */
  async stop() {
    await Promise.all(
      this.children.reverse().map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null || child.failure) return;
        const ended = new Promise((resolve) => child.once("exit", resolve));
        child.kill("SIGTERM");
        const timer = setTimeout(() => child.kill("SIGKILL"), 5000);
        await ended;
        clearTimeout(timer);
      }),
    );
  }
}

/** Tries `check` until it returns something truthy; gives up when `child` has ended or after 60 s. */
async function until(what, child, log, check) {
  const deadline = Date.now() + 60_000;
  while (Date.now() < deadline) {
    const value = await check().catch(() => undefined);
    if (value) return value;
    if (child.failure || child.exitCode !== null) {
      throw new Error(`${what} did not start: ${child.failure ?? ""}\n${readFileSync(log, "utf8").trim()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${what} is not ready after 60 s; its log is ${log}`);
}

/**
 * Starts the simulator with the scenario *homelab* and Muster beside it, and adds the clusters that the scenario wants
 * added. Returns `{stack, url, link, token, clusters}`.
 */
export async function startStack({ folder, port, bin, agents, listen = "127.0.0.1" }) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const at = (name) => join(folder, name);
  const stack = new Stack();
  try {
    // The simulated nodes have addresses of their own, where another simulator may hold the port.
    const simPort = await freePort(18006, "127.70.0.10");
    const simLog = at("sim.log");
    const sim = stack.start(
      join(bin, "proxmox-sim"),
      ["serve", "--scenario", "homelab", "--state", at("sim"), "--port", String(simPort)],
      openSync(simLog, "w"),
    );
    const clusters = await until("the simulator", sim, simLog, async () =>
      JSON.parse(readFileSync(at("sim/clusters.json"), "utf8")),
    );

    const url = `http://${listen}:${port}`;
    const muster = join(bin, "muster");
    const env = {
      MUSTER_DATABASE: `sqlite:${at("muster.db")}`,
      MUSTER_KEY_FILE: at("muster.key"),
      MUSTER_DEMO: "true",
      MUSTER_LISTEN: `${listen}:${port}`,
      MUSTER_AGENT_DIR: agents,
      MUSTER_PUBLIC_URL: url,
    };
    const cli = (...args) => run(muster, args, { env: { ...process.env, ...env } });
    await cli("key", "init");
    await cli("migrate");
    await cli("user", "add", "admin", "--role", "admin", "--no-password");
    const token = await cli("token", "create", "demo", "--user", "admin", "--role", "admin", "--quiet");
    writeFileSync(at("token"), `${token}\n`, { mode: 0o600 });

    const serverLog = at("muster.log");
    const server = stack.start(muster, ["serve"], openSync(serverLog, "w"), env);
    await until("Muster", server, serverLog, async () => (await fetch(`${url}/healthz`)).ok);
    const api = (path, body, method = "POST") =>
      fetch(`${url}/api/v1${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: JSON.stringify(body),
      }).then(async (answer) => {
        if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
        return answer.json();
      });
    await api("/settings", { agent_url: url, scan_every_minutes: 1 }, "PATCH");
    for (const cluster of clusters.filter((cluster) => cluster.demo_adds)) {
      await api("/proxmox/clusters", {
        name: cluster.title,
        endpoints: cluster.endpoints,
        token_id: cluster.token_id,
        token_secret: cluster.token_secret,
        tls: { mode: "pinned", fingerprint: cluster.fingerprint },
      });
    }
    const link = await cli("user", "link", "admin");
    return { stack, url, link, token, clusters };
  } catch (error) {
    await stack.stop();
    throw error;
  }
}
