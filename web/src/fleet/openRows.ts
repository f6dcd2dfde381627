import { useCallback, useSyncExternalStore } from "react";

/** Above this many guests clusters start closed. */
const openAllUpTo = 200;

let toggled: ReadonlySet<string> = new Set();
const listeners = new Set<() => void>();

/** Turns one cluster or node over. What is open survives leaving the page. */
export function toggleOpen(id: string): void {
  const next = new Set(toggled);
  if (!next.delete(id)) next.add(id);
  toggled = next;
  for (const listener of listeners) listener();
}

/** Whether a row is open: small fleets start open, large ones closed, and every row remembers being turned over. */
export function useOpenRows(guests: number): (id: string) => boolean {
  const turned = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => toggled,
  );
  const startOpen = guests <= openAllUpTo;
  return useCallback((id: string) => turned.has(id) !== startOpen, [turned, startOpen]);
}
