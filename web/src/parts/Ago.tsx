import { useSyncExternalStore } from "react";
import { age, fullTime } from "../words/time";

const listeners = new Set<() => void>();
let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    now = Date.now();
    for (const each of listeners) each();
  }, 10_000);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

/** The time of the page: one timer moves all ages together, every 10 s. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => (listeners.size === 0 ? (now = Date.now()) : now));
}

/** How long ago something was, with the full local time on hover. */
export function Ago({ at, suffix }: { at: string; suffix?: string }) {
  const current = Math.max(useNow(), Date.parse(at));
  return (
    <time dateTime={at} title={fullTime(at)}>
      {age(at, current)}
      {suffix}
    </time>
  );
}
