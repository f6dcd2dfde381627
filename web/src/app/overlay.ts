import { useSyncExternalStore } from "react";

/** What lies over the whole product by a key or a button of the rail. */
type Overlay = "palette" | "keys" | null;

let current: Overlay = null;
const listeners = new Set<() => void>();

export const openOverlay = (overlay: Exclude<Overlay, null>) => publish(overlay);
export const closeOverlay = () => publish(null);

export function useOverlay(): Overlay {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => current,
  );
}

function publish(next: Overlay): void {
  current = next;
  for (const listener of listeners) listener();
}
