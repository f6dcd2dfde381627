import { useSyncExternalStore } from "react";

/** Whether a media query holds now. */
function useMedia(query: string): boolean {
  return useSyncExternalStore(
    (listener) => {
      const media = matchMedia(query);
      media.addEventListener("change", listener);
      return () => media.removeEventListener("change", listener);
    },
    () => matchMedia(query).matches,
  );
}

/** Below this width rows have two lines and the navigation stands at the bottom. */
export const useIsPhone = () => useMedia("(width < 720px)");
