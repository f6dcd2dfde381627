import type { Job, JobTarget } from "../api/model";
import type { GlyphName, Tone } from "../parts/Glyph";

type Look = { readonly glyph: GlyphName; readonly tone: Tone; readonly word: string };

const jobLooks: Readonly<Record<string, Look>> = {
  queued: { glyph: "waiting", tone: "quiet", word: "waiting" },
  running: { glyph: "working", tone: "busy", word: "running" },
  succeeded: { glyph: "succeeded", tone: "good", word: "succeeded" },
  partly: { glyph: "attention", tone: "warn", word: "partly succeeded" },
  failed: { glyph: "failed", tone: "bad", word: "failed" },
  cancelled: { glyph: "skipped", tone: "quiet", word: "cancelled" },
};

const targetLooks: Readonly<Record<string, Look>> = {
  queued: { glyph: "waiting", tone: "quiet", word: "waits for its turn" },
  running: { glyph: "working", tone: "busy", word: "running" },
  waiting: { glyph: "late", tone: "warn", word: "waits for you" },
  succeeded: { glyph: "succeeded", tone: "good", word: "succeeded" },
  failed: { glyph: "failed", tone: "bad", word: "failed" },
  skipped: { glyph: "skipped", tone: "quiet", word: "skipped" },
  cancelled: { glyph: "skipped", tone: "quiet", word: "cancelled" },
};

/** A state that a newer server knows is shown by its own name. */
const unknownLook = (state: string): Look => ({ glyph: "unknown", tone: "quiet", word: state.replaceAll("_", " ") });

/** Steps by the server's names, as people read them. */
const stepWords: Readonly<Record<string, string>> = {
  line: "waits for the pasted line",
  check_in: "waits for the agent to connect",
  command: "the agent works",
  entering: "looks for a way in",
  console: "opens the console",
  preflight: "looks at the guest",
  token: "makes a one-time token",
  script: "brings the script in",
  program: "places the agent",
  service: "starts the service",
  clean_up: "tidies up",
};

/** The step a target is at; one that a newer server knows is shown by its own name. */
export const stepWord = (step: string): string => stepWords[step] ?? step.replaceAll("_", " ");

/** What a job does in a guest; a kind that a newer server knows is shown by its own name. */
const workWords: Readonly<Record<string, string>> = { scan: "scanning", install: "installing" };
export const workWord = (kind: Job["kind"]): string => workWords[kind] ?? kind.replaceAll("_", " ");

export const jobLook = (state: Job["state"]): Look => jobLooks[state] ?? unknownLook(state);
export const targetLook = (state: JobTarget["state"]): Look => targetLooks[state] ?? unknownLook(state);
