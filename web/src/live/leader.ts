import { contend, type Duties, type Lease } from "./lease";

/**
 * Makes one tab of the browser the leader at a time, for as long as it lives. Web Locks say at once when a tab is gone;
 * they exist on HTTPS and localhost only, so elsewhere a lease in `localStorage` takes their place. Where storage is
 * switched off, too, every tab leads for itself.
 */
export function runForLeader(name: string, ask: () => void, duties: Duties): Lease {
  if (navigator.locks) return byLock(name, duties);
  const storage = usableStorage(name);
  if (storage) return contend({ name, storage, tab: randomName(), ask, onStored: onStored(name), onLeaving }, duties);
  duties.lead();
  return { ...needsNoWord, stop: duties.follow };
}

function byLock(name: string, { lead, follow }: Duties): Lease {
  const ended = new AbortController();
  const untilEnded = new Promise<void>((done) => ended.signal.addEventListener("abort", () => done()));
  navigator.locks
    .request(name, { signal: ended.signal }, () => {
      lead();
      return untilEnded;
    })
    .catch(() => {
      // The tab stopped before it was its turn.
    });
  return {
    ...needsNoWord,
    stop: () => {
      ended.abort();
      follow();
    },
  };
}

const needsNoWord = { heard: () => undefined, asked: () => undefined };

function usableStorage(name: string): Storage | null {
  try {
    localStorage.setItem(`${name}.test`, "");
    localStorage.removeItem(`${name}.test`);
    return localStorage;
  } catch {
    return null;
  }
}

function onStored(name: string) {
  return (listener: () => void) => {
    const hear = (event: StorageEvent) => event.key === name && listener();
    addEventListener("storage", hear);
    return () => removeEventListener("storage", hear);
  };
}

function onLeaving(listener: () => void): () => void {
  addEventListener("pagehide", listener);
  return () => removeEventListener("pagehide", listener);
}

/** `crypto.randomUUID` exists on HTTPS only. */
function randomName(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join("");
}
