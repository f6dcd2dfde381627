import { useSyncExternalStore } from "react";

/** How the live link is. `since` is when it was lost, `nextTry` when it is tried again (both in ms of the clock). */
export type LinkState = { readonly kind: "connecting" } | { readonly kind: "live" } | { readonly kind: "lost"; readonly since: number; readonly nextTry: number };

let state: LinkState = { kind: "connecting" };
const listeners = new Set<() => void>();

export function setLinkState(next: LinkState): void {
  state = next;
  for (const listener of listeners) listener();
}

export function useLinkState(): LinkState {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => state,
  );
}
