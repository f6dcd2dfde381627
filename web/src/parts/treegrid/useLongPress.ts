import { type PointerEvent, useEffect, useRef } from "react";

/** How long a finger stays, and how far it may tremble (px). */
const patience = 500;
const tremble = 10;

interface LongPress {
  readonly handlers: {
    readonly onPointerDown: (event: PointerEvent) => void;
    readonly onPointerMove: (event: PointerEvent) => void;
    readonly onPointerUp: () => void;
    readonly onPointerCancel: () => void;
    readonly onClickCapture: (event: { preventDefault: () => void; stopPropagation: () => void }) => void;
  };
  /** Whether the last pointer was a finger. */
  readonly isTouch: () => boolean;
}

/** Calls back when a finger stays on an element without moving; the tap that ends it then does nothing else. */
export function useLongPress(onLongPress: () => void): LongPress {
  const state = useRef<{ timer?: ReturnType<typeof setTimeout>; x: number; y: number; touch: boolean; done: boolean }>({ x: 0, y: 0, touch: false, done: false });
  const stop = () => clearTimeout(state.current.timer);
  useEffect(() => () => clearTimeout(state.current.timer), []);
  return {
    isTouch: () => state.current.touch,
    handlers: {
      onPointerDown: ({ pointerType, clientX: x, clientY: y }) => {
        stop();
        state.current = { x, y, touch: pointerType === "touch", done: false };
        if (pointerType !== "touch") return;
        state.current.timer = setTimeout(() => {
          state.current.done = true;
          onLongPress();
        }, patience);
      },
      onPointerMove: ({ clientX, clientY }) => {
        if (Math.hypot(clientX - state.current.x, clientY - state.current.y) > tremble) stop();
      },
      onPointerUp: stop,
      onPointerCancel: stop,
      onClickCapture: (event) => {
        if (!state.current.done) return;
        state.current.done = false;
        event.preventDefault();
        event.stopPropagation();
      },
    },
  };
}
