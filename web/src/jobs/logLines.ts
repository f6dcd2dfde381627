import { skipToken, useQuery } from "@tanstack/react-query";
import { useEffect, useReducer, useRef } from "react";
import { call, send } from "../api/call";
import { keys } from "../api/keys";
import type { Job, LogLine } from "../api/model";

/** More lines than this are not kept in the page. */
const keptLines = 50_000;
const pauses = [1, 2, 5, 10];

interface LogState {
  readonly lines: readonly LogLine[];
  /** Lines that the page no longer keeps. */
  readonly omitted: number;
  /** Seconds until a call that failed is tried again; null while all is well. */
  readonly retryIn: number | null;
}

type Change = { kind: "lines"; lines: readonly LogLine[] } | { kind: "failed"; seconds: number };

function reduce(state: LogState, change: Change): LogState {
  if (change.kind === "failed") return { ...state, retryIn: change.seconds };
  if (change.lines.length === 0 && state.retryIn === null) return state;
  const lines = [...state.lines, ...change.lines];
  const excess = Math.max(0, lines.length - keptLines);
  return { lines: lines.slice(excess), omitted: state.omitted + excess, retryIn: null };
}

/**
 * The log of a job, live. The event stream that all tabs share says how long the log is by now, and what is missing is
 * read behind the last line: a stream of its own would take one of the six connections that HTTP/1.1 allows.
 */
export function useLogLines(job: Job): LogState {
  const [state, dispatch] = useReducer(reduce, { lines: [], omitted: 0, retryIn: null });
  const { data: end = 0 } = useQuery<number>({ queryKey: keys.jobLogEnd(job.id), queryFn: skipToken });
  const reader = useRef<Reader | null>(null);
  useEffect(() => {
    const reading = readLog(job.id, dispatch);
    reader.current = reading;
    return reading.stop;
  }, [job.id]);
  // While the end is not known (0), whatever is said about the job may mean new lines.
  useEffect(() => reader.current?.readTo(end, job), [end, job]);
  return state;
}

interface Reader {
  /** Something was said about the job; its log has this many lines, or 0 when that is not known. */
  readonly readTo: (end: number, job: Job) => void;
  readonly stop: () => void;
}

/** Reads on whenever it is told that there may be more, one call at a time, until an answer is empty. */
function readLog(job: string, dispatch: (change: Change) => void): Reader {
  const ended = new AbortController();
  let last = 0;
  let known = 0;
  let failures = 0;
  let busy = false;
  let again = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const readPage = async () => {
    const { items } = await send(call("get", "/api/v1/jobs/{id}/log", { path: { id: job }, query: { after: last } }), ended.signal);
    last = items.at(-1)?.n ?? last;
    failures = 0;
    dispatch({ kind: "lines", lines: items });
    return items.length > 0 && (known === 0 || last < known);
  };
  const read = async () => {
    if (busy || ended.signal.aborted) {
      again = true;
      return;
    }
    busy = true;
    clearTimeout(timer);
    try {
      do again = false;
      while ((await readPage()) || again);
    } catch {
      if (ended.signal.aborted) return;
      const seconds = pauses[Math.min(failures++, pauses.length - 1)] ?? 10;
      dispatch({ kind: "failed", seconds });
      timer = setTimeout(() => void read(), seconds * 1000);
    } finally {
      busy = false;
    }
  };
  return {
    readTo: (end) => {
      known = Math.max(known, end);
      if (end === 0 || end > last) void read();
    },
    stop: () => {
      ended.abort();
      clearTimeout(timer);
    },
  };
}
