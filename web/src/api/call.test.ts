import { afterEach, describe, expect, it, vi } from "vitest";
import { asCurl, call, send } from "./call";
import { Problem } from "./problem";

afterEach(() => vi.unstubAllGlobals());

function answer(status: number, body: unknown) {
  const seen: Request[] = [];
  vi.stubGlobal("fetch", async (request: Request) => {
    seen.push(request);
    return new Response(status === 204 ? null : JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } });
  });
  return seen;
}

describe("asCurl", () => {
  it("shows path, query and body as one line of shell, and never a token", () => {
    const line = asCurl(call("post", "/api/v1/guests/bulk-scan", { body: { guests: ["it's"], dry_run: true } }), "http://muster:8080");
    expect(line).toBe(
      ["curl -sS -X POST 'http://muster:8080/api/v1/guests/bulk-scan'", '-H "Authorization: Bearer $MUSTER_TOKEN"', "-H 'Content-Type: application/json'", String.raw`-d '{"guests":["it'\''s"],"dry_run":true}'`].join(" \\\n  "),
    );
    expect(asCurl(call("get", "/api/v1/proxmox/clusters/{id}/hierarchy", { path: { id: "a b" }, query: { depth: "nodes" } }), "http://m")).toContain("'http://m/api/v1/proxmox/clusters/a%20b/hierarchy?depth=nodes'");
  });
});

describe("send", () => {
  it("returns the answer of a good call and gives every change its own key", async () => {
    const seen = answer(202, { targets: [] });
    await send(call("post", "/api/v1/guests/bulk-scan", { body: { guests: [] } }));
    await send(call("post", "/api/v1/guests/bulk-scan", { body: { guests: [] } }));
    const [first, second] = seen.map((request) => request.headers.get("Idempotency-Key"));
    expect(first).toMatch(/^[0-9a-f]{32}$/);
    expect(second).not.toBe(first);
  });

  it("turns the server's problem into one error with its fields", async () => {
    answer(422, { type: "about:blank", title: "Some fields are not right", status: 422, detail: "See the fields.", code: "invalid", request_id: "r1", errors: [{ pointer: "/token_id", detail: "Write user@realm!name." }] });
    const problem = await send(call("get", "/api/v1/session")).catch((error: unknown) => error);
    expect(problem).toBeInstanceOf(Problem);
    expect(problem).toMatchObject({ status: 422, code: "invalid", requestId: "r1", message: "See the fields." });
    expect((problem as Problem).fields.get("token_id")).toBe("Write user@realm!name.");
  });

  it("says so when nobody answers", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
    await expect(send(call("get", "/api/v1/session"))).rejects.toMatchObject({ status: 0, code: "unreachable" });
  });

  it("accepts an answer without a body", async () => {
    answer(204, null);
    await expect(send(call("delete", "/api/v1/session"))).resolves.toBeUndefined();
  });
});
