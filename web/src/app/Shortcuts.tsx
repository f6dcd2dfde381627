import { useNavigate } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useRef } from "react";
import { closeOverlay, openOverlay, useOverlay } from "./overlay";

const Palette = lazy(async () => ({ default: (await import("../palette/Palette")).Palette }));
const KeysDialog = lazy(async () => ({ default: (await import("../palette/KeysDialog")).KeysDialog }));

const places: Readonly<Record<string, "/" | "/fleet" | "/jobs" | "/agents">> = { u: "/", f: "/fleet", j: "/jobs", a: "/agents" };
/** How long "G" waits for the letter of a page. */
const patience = 1_000;

/** Keys that work everywhere: Ctrl K, G and a letter, and "?". Never while something is typed or a dialog is open. */
export function Shortcuts() {
  const navigate = useNavigate();
  const overlay = useOverlay();
  const pressedG = useRef(0);
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        openOverlay("palette");
        return;
      }
      if (event.ctrlKey || event.metaKey || event.altKey || isTaken(event.target)) return;
      if (event.key === "?") openOverlay("keys");
      const place = places[event.key.toLowerCase()];
      if (place && Date.now() - pressedG.current < patience) {
        event.preventDefault();
        event.stopPropagation();
        void navigate({ to: place });
      }
      pressedG.current = event.key.toLowerCase() === "g" ? Date.now() : 0;
    };
    // Before the table sees the letter: G then J goes to the jobs and does not move the row.
    document.addEventListener("keydown", onKeyDown, { capture: true });
    return () => document.removeEventListener("keydown", onKeyDown, { capture: true });
  }, [navigate]);
  return (
    <Suspense fallback={null}>
      {overlay === "palette" && <Palette onClose={closeOverlay} />}
      {overlay === "keys" && <KeysDialog onClose={closeOverlay} />}
    </Suspense>
  );
}

function isTaken(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest("input, textarea, select, [role=dialog], [role=menu]") !== null;
}
