import type { Frame } from "./frames";
import { runForLeader } from "./leader";
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
 * stop the seventh. The tab that leads has the stream and repeats its frames to the others; when it is gone, the next one
 * resumes behind the last frame it saw. While two tabs lead for a moment, what comes twice is taken once, by its number.
 */
export function shareStream({ onFrame, onState }: Listener, run = runForLeader): () => void {
  const channel = new BroadcastChannel(channelName);
  let cursor: number | null = null;
  let state: LinkState = { kind: "connecting" };
  let closeStream: (() => void) | null = null;

  const tell = (message: Message) => channel.postMessage(message);
  const take = (frame: Frame): boolean => {
    // After a resync the numbers may begin anew.
    if (frame.kind !== "resync" && cursor !== null && frame.seq <= cursor) return false;
    cursor = frame.seq;
    onFrame(frame);
    return true;
  };
  const lead = () => {
    closeStream = openStream(() => cursor, {
      onFrame: (frame) => {
        if (take(frame)) tell({ type: "frame", frame });
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
  const follow = () => {
    closeStream?.();
    closeStream = null;
  };
  const leadership = run(channelName, () => tell({ type: "ask" }), { lead, follow });
  channel.addEventListener("message", ({ data }: MessageEvent<Message>) => {
    if (data.type === "ask") {
      leadership.asked();
      if (closeStream) tell({ type: "state", state, cursor });
      return;
    }
    leadership.heard();
    if (data.type === "frame") take(data.frame);
    else if (!closeStream) {
      cursor ??= data.cursor;
      state = data.state;
      onState(state);
    }
  });
  tell({ type: "ask" });
  return () => {
    leadership.stop();
    channel.close();
  };
}
