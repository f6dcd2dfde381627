import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** A Muster of its own for a test that begins with nothing or kills the server. */
export class OwnServer {
  private process: ChildProcess | null = null;
  private said = "";

  private constructor(
    readonly url: string,
    private readonly folder: string,
    private readonly program: string,
    private readonly env: NodeJS.ProcessEnv,
  ) {}

  static async start(): Promise<OwnServer> {
    const program = process.env.MUSTER;
    if (!program) throw new Error("MUSTER names the server's program");
    const folder = mkdtempSync(join(tmpdir(), "muster-own-"));
    const listen = `127.0.0.1:${await freePort()}`;
    const url = `http://${listen}`;
    const env = { ...process.env, MUSTER_DATABASE: `sqlite:${join(folder, "muster.db")}`, MUSTER_KEY_FILE: join(folder, "key"), MUSTER_LISTEN: listen, MUSTER_PUBLIC_URL: url };
    const server = new OwnServer(url, folder, program, env);
    await promisify(execFile)(program, ["key", "init"], { env });
    await server.run();
    return server;
  }

  /** Starts the program on its database, and waits until it answers. */
  async run(): Promise<void> {
    const child = spawn(this.program, ["serve"], { env: this.env, stdio: ["ignore", "pipe", "pipe"] });
    for (const output of [child.stdout, child.stderr]) output.on("data", (text) => (this.said += String(text)));
    this.process = child;
    while (child.exitCode === null) {
      const answers = await fetch(`${this.url}/healthz`).then((answer) => answer.ok, () => false);
      if (answers) return;
      await new Promise((done) => setTimeout(done, 50));
    }
    throw new Error(`the server ended: ${this.said}`);
  }

  /** The link that makes the first account, as the server prints it. */
  setupLink(): string {
    const link = /https?:\/\/\S+\/setup\S*/.exec(this.said)?.[0];
    if (!link) throw new Error(`the server printed no setup link: ${this.said}`);
    return link;
  }

  /** Ends it without a word to anybody. */
  async kill(): Promise<void> {
    const child = this.process;
    this.process = null;
    if (!child || child.exitCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address ? address.port : 0;
}
