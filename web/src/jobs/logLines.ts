import { useEffect, useReducer } from "react";
import type { LogLine } from "../api/model";

/** More lines than this are not kept in the page; the download has all of them. */
const keptLines = 50_000;
const pauses = [1, 2, 5, 10];

interface LogState {
  readonly lines: readonly LogLine[];
  /** Lines that the page no longer keeps. */
  readonly omitted: number;
  /** Seconds until the cut stream is tried again; null while it runs. */
  readonly retryIn: number | null;
}

type Change = { kind: "lines"; lines: readonly LogLine[] } | { kind: "cut"; seconds: number } | { kind: "open" };

function reduce(state: LogState, change: Change): LogState {
  if (change.kind === "cut") return { ...state, retryIn: change.seconds };
  if (change.kind === "open") return { ...state, retryIn: null };
  const last = state.lines.at(-1)?.n ?? 0;
  const lines = [...state.lines, ...change.lines.filter((line) => line.n > last)];
  const excess = Math.max(0, lines.length - keptLines);
  return { lines: lines.slice(excess), omitted: state.omitted + excess, retryIn: null };
}

/** The log of a job, live: lines arrive in frames, a cut stream goes on behind the last line that came. */
export function useLogLines(job: string): LogState {
  const [state, dispatch] = useReducer(reduce, { lines: [], omitted: 0, retryIn: null });
  useEffect(() => {
    const ended = new AbortController();
    let waiting: LogLine[] = [];
    let last = 0;
    let frame = 0;
    const flush = () => {
      frame = 0;
      dispatch({ kind: "lines", lines: waiting });
      waiting = [];
    };
    const take = (line: LogLine) => {
      last = Math.max(last, line.n);
      waiting.push(line);
      frame ||= requestAnimationFrame(flush);
    };
    void follow(job, () => last, take, dispatch, ended.signal);
    return () => {
      ended.abort();
      cancelAnimationFrame(frame);
    };
  }, [job]);
  return state;
}

async function follow(job: string, last: () => number, take: (line: LogLine) => void, dispatch: (change: Change) => void, signal: AbortSignal): Promise<void> {
  for (let failures = 0; !signal.aborted; ) {
    const before = last();
    const ended = await readStream(job, before, take, () => dispatch({ kind: "open" }), signal).catch(() => false);
    if (ended || signal.aborted) return;
    failures = last() > before ? 0 : failures + 1;
    const seconds = pauses[Math.min(failures, pauses.length - 1)] ?? 10;
    dispatch({ kind: "cut", seconds });
    await new Promise<void>((done) => {
      const timer = setTimeout(done, seconds * 1000);
      signal.addEventListener("abort", () => (clearTimeout(timer), done()), { once: true });
    });
  }
}

/** Reads the event stream of a log. Resolves to true when the server says that the log is complete, else to false. */
async function readStream(job: string, after: number, take: (line: LogLine) => void, onOpen: () => void, signal: AbortSignal): Promise<boolean> {
  const answer = await fetch(`/api/v1/jobs/${encodeURIComponent(job)}/log?after=${after}`, { headers: { Accept: "text/event-stream" }, signal });
  if (!answer.ok || !answer.body) return answer.status === 404;
  onOpen();
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return false;
    const blocks = (rest + value).split(/\r?\n\r?\n/);
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const event = parseEvent(block);
      if (event.name === "end") return true;
      if (event.data) take(JSON.parse(event.data) as LogLine);
    }
  }
}

/** One block of an event stream: its name and the lines of its data. */
export function parseEvent(block: string): { name: string; data: string } {
  let name = "message";
  const data: string[] = [];
  for (const line of block.split(/\r?\n/)) {
    if (line.startsWith("event:")) name = line.slice(6).trim();
    else if (line.startsWith("data:")) data.push(line.slice(5).replace(/^ /, ""));
  }
  return { name, data: data.join("\n") };
}
