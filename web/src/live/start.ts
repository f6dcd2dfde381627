import type { QueryClient } from "@tanstack/react-query";
import { call, send } from "../api/call";
import { keys } from "../api/keys";
import { asTree, type ClusterTree } from "../fleet/tree";
import { announce, announceFailure } from "../app/announce";
import { words } from "../app/words";
import { jobLook } from "../jobs/looks";
import type { Frame } from "./frames";
import { setLinkState } from "./linkState";
import { applyFrames } from "./patch";
import { shareStream } from "./share";

/** Sums are read again at most this often, when guests changed and the server did not say the sums itself. */
const sumsPause = 2_000;

/** Events are shown at most this often: each time all that is on the screen is counted again. */
const showPause = 250;

/** A link that is lost this long makes the page ask who is signed in. */
const sessionDoubt = 3_000;

/** Keeps the cache true to the server's events while the user is signed in. Returns the function that stops it. */
export function startLive(cache: QueryClient): () => void {
  let waiting: Frame[] = [];
  let scheduled = false;
  let shown = 0;
  const sums = new Set<string>();
  let sumsTimer: ReturnType<typeof setTimeout> | undefined;

  const readSums = () => {
    sumsTimer = undefined;
    for (const id of sums) void refreshSums(cache, id);
    sums.clear();
  };
  const flush = () => {
    scheduled = false;
    shown = performance.now();
    const batch = waiting;
    waiting = [];
    const { everything, sums: touched } = applyFrames(cache, batch);
    sayFinishedJobs(batch);
    if (everything) void cache.invalidateQueries();
    for (const id of touched) sums.add(id);
    if (sums.size > 0) sumsTimer ??= setTimeout(readSums, sumsPause);
  };
  const onFrame = (frame: Frame) => {
    waiting.push(frame);
    if (scheduled) return;
    scheduled = true;
    const pause = showPause - (performance.now() - shown);
    // Frames of a hidden tab are never painted, and requestAnimationFrame stands still there.
    if (document.hidden || pause > 0) setTimeout(flush, document.hidden ? showPause : pause);
    else requestAnimationFrame(flush);
  };
  const stop = shareStream({
    onFrame,
    onState: (state) => {
      setLinkState(state);
      // A stream that does not come back may have ended because the session did.
      if (state.kind === "lost" && state.nextTry - state.since > sessionDoubt) void cache.invalidateQueries({ queryKey: keys.session });
    },
  });
  return () => {
    stop();
    clearTimeout(sumsTimer);
  };
}

/** Who does not see the page hears that a job ended; a failure at once, the rest when the voice is free. */
function sayFinishedJobs(batch: readonly Frame[]): void {
  for (const frame of batch) {
    if (frame.kind !== "job.changed" || !frame.job?.finished_at) continue;
    const { title, state, progress } = frame.job;
    const text = words.jobEnded(title, jobLook(state).word, progress.done, progress.failed);
    if (progress.failed > 0) announceFailure(text);
    else announce(text);
  }
}

/** Reads the roll-ups of a cluster and its nodes, without its guests. */
async function refreshSums(cache: QueryClient, id: string): Promise<void> {
  try {
    const { cluster, nodes } = asTree(await send(call("get", "/api/v1/proxmox/clusters/{id}/hierarchy", { path: { id }, query: { depth: "nodes" } })));
    cache.setQueryData<ClusterTree>(keys.tree(id), (tree) => (tree ? { ...tree, cluster, nodes } : tree));
    cache.setQueryData<ClusterTree["cluster"][]>(keys.clusters, (list) => list?.map((each) => (each.id === id ? cluster : each)));
  } catch {
    // The next event asks again; until then the last sums stay.
  }
}
