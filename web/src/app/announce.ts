/** The page's one voice for screen readers: what changed by itself, at most one polite message per 5 s. */
interface Announcement {
  readonly polite: string;
  readonly urgent: string;
}

const pause = 5000;
let current: Announcement = { polite: "", urgent: "" };
let waiting: string | null = null;
let timer: ReturnType<typeof setTimeout> | undefined;
const listeners = new Set<() => void>();

/** Says a message when the voice is free; of several that arrive meanwhile only the newest is said. */
export function announce(text: string): void {
  if (timer !== undefined) {
    waiting = text;
    return;
  }
  publish({ ...current, polite: text });
  timer = setTimeout(() => {
    timer = undefined;
    const next = waiting;
    waiting = null;
    if (next !== null) announce(next);
  }, pause);
}

/** Says a failure at once. */
export function announceFailure(text: string): void {
  publish({ ...current, urgent: text });
}

export function subscribeToAnnouncements(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const currentAnnouncement = () => current;

function publish(next: Announcement): void {
  current = next;
  for (const listener of listeners) listener();
}
