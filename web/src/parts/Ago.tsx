import { useEffect, useState, useSyncExternalStore } from "react";
import { age, duration, fullTime } from "../words/time";

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

/** How long ago something was, with the full local time on hover. `suffix` follows a span, not "now". */
export function Ago({ at, suffix }: { at: string; suffix?: string }) {
  const current = Math.max(useNow(), Date.parse(at));
  const text = age(at, current);
  return (
    <time dateTime={at} title={fullTime(at)}>
      {text}
      {text !== "now" && suffix}
    </time>
  );
}

/** How long something took, or takes until now, counted in seconds. */
export function Lasting({ from, to }: { from: string; to: string | null | undefined }) {
  const [current, setCurrent] = useState(() => Date.now());
  useEffect(() => {
    if (to) return;
    const ticking = setInterval(() => setCurrent(Date.now()), 1000);
    return () => clearInterval(ticking);
  }, [to]);
  const span = (to ? Date.parse(to) : current) - Date.parse(from);
  return <>{duration(to ? Math.max(0, span) : Math.max(0, Math.floor(span / 1000) * 1000))}</>;
}
