import type { JobTarget } from "../api/model";
import { State } from "../parts/State";
import { stepWord, targetLook } from "./looks";

/** Where one target of a job is: its step in words while it runs, else its state. */
export function TargetState({ target }: { target: JobTarget }) {
  const look = targetLook(target.state);
  const active = target.state === "running" || target.state === "waiting";
  return (
    <State glyph={look.glyph} tone={look.tone} strong={active}>
      {active && target.step ? stepWord(target.step) : look.word}
    </State>
  );
}
