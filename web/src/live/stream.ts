import { frameKinds, parseFrame, type Frame } from "./frames";
import type { LinkState } from "./linkState";

interface Listener {
  onFrame: (frame: Frame) => void;
  onState: (state: LinkState) => void;
  /** The server's position when the stream opened. */
  onCursor: (cursor: number) => void;
}

const pauses = [1_000, 2_000, 5_000, 10_000, 20_000];

/**
 * One connection to the server's events, opened again with growing pauses and resumed behind the last event seen.
 * Returns the function that closes it.
 */
export function openStream(cursor: () => number | null, { onFrame, onState, onCursor }: Listener, open = (url: string) => new EventSource(url)): () => void {
  let source: EventSource | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;
  let lostSince: number | null = null;
  let closed = false;

  const connect = () => {
    const from = cursor();
    source = open(from === null ? "/api/v1/events" : `/api/v1/events?cursor=${from}`);
    source.addEventListener("hello", (event) => {
      failures = 0;
      lostSince = null;
      const { cursor: position } = JSON.parse(event.data as string) as { cursor: number };
      if (from === null) onCursor(position);
      onState({ kind: "live" });
    });
    for (const kind of frameKinds) {
      source.addEventListener(kind, (event) => {
        const frame = parseFrame(kind, event.data as string);
        if (frame) onFrame(frame);
      });
    }
    source.addEventListener("error", retry);
  };
  const retry = () => {
    if (closed) return;
    source?.close();
    const pause = pauses[Math.min(failures, pauses.length - 1)] ?? 20_000;
    failures += 1;
    lostSince ??= Date.now();
    onState({ kind: "lost", since: lostSince, nextTry: Date.now() + pause });
    timer = setTimeout(connect, pause);
  };
  connect();
  return () => {
    closed = true;
    clearTimeout(timer);
    source?.close();
  };
}
