import { useSyncExternalStore } from "react";
import { currentAnnouncement, subscribeToAnnouncements } from "./announce";

/** The live regions behind `announce`. */
export function Announcer() {
  const { polite, urgent } = useSyncExternalStore(subscribeToAnnouncements, currentAnnouncement);
  return (
    <>
      <div className="offscreen" role="status" aria-live="polite">
        {polite}
      </div>
      <div className="offscreen" role="alert" aria-live="assertive">
        {urgent}
      </div>
    </>
  );
}
