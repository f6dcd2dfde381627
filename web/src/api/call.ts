import createClient, { createFinalURL, createQuerySerializer, defaultPathSerializer } from "openapi-fetch";
import { Problem } from "./problem";
import type { paths } from "./schema.gen";

type Method = "get" | "post" | "patch" | "put" | "delete";
type PathOf<M extends Method> = { [P in keyof paths]: M extends keyof paths[P] ? (paths[P][M] extends object ? P : never) : never }[keyof paths];
type Operation<M extends Method, P extends PathOf<M>> = M extends keyof paths[P] ? paths[P][M] : never;
type Json<T> = T extends { content: { "application/json": infer Body } } ? Body : undefined;
type Success<R> = R[keyof R & (200 | 201 | 202 | 204)];
type AnswerOf<Op> = Op extends { responses: infer R } ? Json<Success<R>> : never;
type PathParameters<Op> = Op extends { parameters: { path: infer Values } } ? { path: Values } : { path?: never };
type QueryParameters<Op> = Op extends { parameters: { query?: infer Values } } ? { query?: Values } : { query?: never };
type Body<Op> = Op extends { requestBody: { content: { "application/json": infer B } } } ? { body: B } : { body?: never };
type Given<Op> = PathParameters<Op> & QueryParameters<Op> & Body<Op>;
type Rest<Op> = object extends Given<Op> ? [given?: Given<Op>] : [given: Given<Op>];

/** One call of the HTTP API as data: it can be sent, and shown to the user as a command. */
export interface ApiCall<T> {
  readonly method: Method;
  readonly path: string;
  readonly given: { path?: Record<string, string>; query?: Record<string, unknown>; body?: unknown };
  /** Carries the type of the answer; never set. */
  readonly answer?: T;
}

const client = createClient<{ [path: string]: { [method in Method]: never } }>({
  baseUrl: globalThis.location?.origin ?? "http://localhost",
  fetch: (request) => globalThis.fetch(request),
});

/** Describes a call; its path, parameters, body and answer are checked against the API description. */
export function call<M extends Method, P extends PathOf<M>>(method: M, path: P, ...[given]: Rest<Operation<M, P>>): ApiCall<AnswerOf<Operation<M, P>>> {
  return { method, path: path as string, given: (given ?? {}) as ApiCall<unknown>["given"] };
}

/**
 * Sends a call. Every mutation carries its own idempotency key, so a repeat by the browser or a proxy does nothing twice.
 * Throws `Problem` for every answer outside 2xx and when there is no answer.
 */
export async function send<T>({ method, path, given }: ApiCall<T>, signal?: AbortSignal): Promise<T> {
  const headers = method === "get" ? {} : { "Idempotency-Key": randomKey() };
  const init = { params: { path: given.path, query: given.query }, body: given.body, headers, signal };
  const { data, error, response } = await client.request(method, path, init as never).catch((cause: unknown) => {
    if (signal?.aborted) throw cause;
    throw Problem.unreachable();
  });
  if (!(response as Response).ok) throw Problem.fromAnswer((response as Response).status, error);
  return data as T;
}

/** The call as a command line for a POSIX shell. The token is a variable: a secret has no place in a clipboard. */
export function asCurl({ method, path, given }: ApiCall<unknown>, origin = location.origin): string {
  const url = createFinalURL(path, {
    baseUrl: origin,
    params: { path: given.path, query: given.query },
    querySerializer: createQuerySerializer(),
    pathSerializer: defaultPathSerializer,
  });
  const lines = [`curl -sS${method === "get" ? "" : ` -X ${method.toUpperCase()}`} '${url}'`, `-H "Authorization: Bearer $MUSTER_TOKEN"`];
  if (given.body !== undefined) {
    lines.push("-H 'Content-Type: application/json'", `-d '${JSON.stringify(given.body).replaceAll("'", String.raw`'\''`)}'`);
  }
  return lines.join(" \\\n  ");
}

/** `crypto.randomUUID` exists on HTTPS only; homelabs often run on plain HTTP. */
function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
