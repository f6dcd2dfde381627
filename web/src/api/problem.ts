import type { ProblemBody } from "./model";

/**
 * A call that did not succeed: what the server said (RFC 9457), or that it could not be reached.
 * `status` is 0 when there was no answer at all.
 */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly requestId: string | null;
  readonly fields: ReadonlyMap<string, string>;

  private constructor(status: number, code: string, title: string, detail: string, requestId: string | null, fields: ReadonlyMap<string, string>) {
    super(detail);
    this.name = "Problem";
    this.status = status;
    this.code = code;
    this.title = title;
    this.requestId = requestId;
    this.fields = fields;
  }

  /** Whether Muster itself said so, and not a proxy on the way. */
  get isOurs(): boolean {
    return !this.code.startsWith("http_");
  }

  /** Reads the server's answer; `fields` maps the name of each wrong field to its message. */
  static fromAnswer(status: number, body: unknown): Problem {
    if (!isProblemBody(body)) {
      return new Problem(status, `http_${status}`, `The server answered ${status}`, "Its answer has no explanation. The server log has one.", null, new Map());
    }
    const fields = new Map((body.errors ?? []).map((error) => [fieldOf(error.pointer), error.detail]));
    return new Problem(status, body.code, body.title, body.detail ?? body.title, body.request_id ?? null, fields);
  }

  /** No answer: the network, the server or a proxy is away. */
  static unreachable(): Problem {
    return new Problem(0, "unreachable", "Muster does not answer", "The server or the network on the way is away. Nothing is known about this call: look before you repeat it.", null, new Map());
  }

  /** Any thrown value as a Problem, so that every failure is shown the same way. */
  static of(error: unknown): Problem {
    if (error instanceof Problem) return error;
    const detail = error instanceof Error ? error.message : String(error);
    return new Problem(0, "page_failed", "This page failed", detail, null, new Map());
  }
}

function isProblemBody(body: unknown): body is ProblemBody {
  return typeof body === "object" && body !== null && "code" in body && "title" in body;
}

/** The name in a JSON pointer: "/endpoints/0" is about `endpoints`, "/retention/jobs_days" about `jobs_days`. */
function fieldOf(pointer: string): string {
  return pointer.split("/").findLast((part) => !/^\d*$/.test(part)) ?? "";
}
