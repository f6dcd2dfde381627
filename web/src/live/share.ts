import type { Frame } from "./frames";
import type { LinkState } from "./linkState";
import { openStream } from "./stream";

/** What the leading tab tells the others, and what a new tab asks. */
type Message = { readonly type: "frame"; readonly frame: Frame } | { readonly type: "state"; readonly state: LinkState; readonly cursor: number | null } | { readonly type: "ask" };

interface Listener {
  onFrame: (frame: Frame) => void;
  onState: (state: LinkState) => void;
}

const channelName = "muster-live";

/**
 * One event stream for all tabs of the browser: HTTP/1.1 allows six connections to a server, so a stream per tab would
 * stop the seventh. The tab that holds the lock has the stream and repeats its frames to the others; when it closes, the
 * lock passes on and the next one resumes behind the last frame it saw. Without locks (plain HTTP) each tab has its own.
 */
export function shareStream({ onFrame, onState }: Listener): () => void {
  const channel = new BroadcastChannel(channelName);
  const ended = new AbortController();
  let cursor: number | null = null;
  let state: LinkState = { kind: "connecting" };
  let leads = false;
  let closeStream: (() => void) | null = null;

  const take = (frame: Frame) => {
    cursor = Math.max(cursor ?? 0, frame.seq);
    onFrame(frame);
  };
  const tell = (message: Message) => channel.postMessage(message);
  const lead = () => {
    leads = true;
    closeStream = openStream(() => cursor, {
      onFrame: (frame) => {
        take(frame);
        tell({ type: "frame", frame });
      },
      onState: (next) => {
        state = next;
        onState(next);
        tell({ type: "state", state, cursor });
      },
      onCursor: (position) => {
        cursor = position;
      },
    });
  };
  channel.addEventListener("message", ({ data }: MessageEvent<Message>) => {
    if (leads) {
      if (data.type === "ask") tell({ type: "state", state, cursor });
    } else if (data.type === "frame") {
      take(data.frame);
    } else if (data.type === "state") {
      cursor ??= data.cursor;
      onState(data.state);
    }
  });

  if (navigator.locks) {
    const untilEnded = new Promise<void>((done) => ended.signal.addEventListener("abort", () => done()));
    navigator.locks
      .request(channelName, { signal: ended.signal }, () => {
        lead();
        return untilEnded;
      })
      .catch(() => {
        // The tab stopped before it was its turn.
      });
    tell({ type: "ask" });
  } else {
    lead();
  }
  return () => {
    ended.abort();
    closeStream?.();
    channel.close();
  };
}
