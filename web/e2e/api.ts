/** The HTTP API as a script uses it, for what a test prepares behind the browser's back. */
const base = process.env.BASE_URL ?? "http://127.0.0.1:8080";

interface Thing {
  readonly id: string;
  readonly name: string;
}

export async function api<T>(method: string, path: string, body?: unknown): Promise<T> {
  const answer = await fetch(`${base}/api/v1${path}`, {
    method,
    headers: { Authorization: `Bearer ${process.env.API_TOKEN}`, "Content-Type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return (answer.status === 204 ? undefined : await answer.json()) as T;
}

export async function clusterByName(name: string): Promise<Thing> {
  const { items } = await api<{ items: Thing[] }>("GET", "/proxmox/clusters");
  const found = items.find((cluster) => cluster.name === name);
  if (!found) throw new Error(`there is no cluster ${name}, only ${items.map((cluster) => cluster.name).join(", ")}`);
  return found;
}

/** An account with this name and role, and the password that it has. */
export async function ensureUser(name: string, role: "viewer" | "operator"): Promise<string> {
  const password = `the password of ${name} in tests`;
  const { items } = await api<{ items: Thing[] }>("GET", "/users");
  if (!items.some((user) => user.name === name)) await api("POST", "/users", { name, role, password });
  return password;
}
