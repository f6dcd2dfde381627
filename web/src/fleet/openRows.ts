import { useSyncExternalStore } from "react";

/** Above this many guests clusters start closed. */
const openAllUpTo = 200;

const toggled = new Set<string>();
const listeners = new Set<() => void>();
let version = 0;

/** Turns one cluster or node over. What is open survives leaving the page. */
export function toggleOpen(id: string): void {
  if (!toggled.delete(id)) toggled.add(id);
  version += 1;
  for (const listener of listeners) listener();
}

/** Whether a row is open: small fleets start open, large ones closed, and every row remembers being turned over. */
export function useOpenRows(guests: number): (id: string) => boolean {
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => version,
  );
  return guests <= openAllUpTo ? startsOpen : startsClosed;
}

const startsOpen = (id: string) => !toggled.has(id);
const startsClosed = (id: string) => toggled.has(id);
