import type { Job, JobTarget } from "../api/model";
import type { GlyphName, Tone } from "../parts/Glyph";
import { count } from "../words/plural";

type Look = { readonly glyph: GlyphName; readonly tone: Tone; readonly word: string };

export const jobLook: Record<Job["state"], Look> = {
  queued: { glyph: "waiting", tone: "quiet", word: "waiting" },
  running: { glyph: "working", tone: "busy", word: "running" },
  succeeded: { glyph: "succeeded", tone: "good", word: "succeeded" },
  partly: { glyph: "attention", tone: "warn", word: "partly succeeded" },
  failed: { glyph: "failed", tone: "bad", word: "failed" },
  cancelled: { glyph: "skipped", tone: "quiet", word: "cancelled" },
};

export const targetLook: Record<JobTarget["state"], Look> = {
  queued: { glyph: "waiting", tone: "quiet", word: "waits for its turn" },
  running: { glyph: "working", tone: "busy", word: "running" },
  waiting: { glyph: "late", tone: "warn", word: "waits for you" },
  succeeded: { glyph: "succeeded", tone: "good", word: "succeeded" },
  failed: { glyph: "failed", tone: "bad", word: "failed" },
  skipped: { glyph: "skipped", tone: "quiet", word: "skipped" },
  cancelled: { glyph: "skipped", tone: "quiet", word: "cancelled" },
};

export const words = {
  title: "Jobs",
  pasteTitle: (guests: number) => (guests === 1 ? "Paste one line to install the agent" : `Paste a line to install ${guests} agents`),
  allOnline: (guests: number) => (guests === 1 ? "The agent is online" : `All ${guests} agents are online`),
  pasteWhy: "Muster has no way into these guests yet, so you open the door once: run a line as root. It downloads the installer, compares its SHA-256 and starts it; the token in it works once.",
  validFor: (time: string) => `Valid for ${time}.`,
  onNode: (node: string) => `In the shell of ${node}`,
  doesGuests: (names: string) => `One line for ${names}.`,
  orInGuest: "Or in each guest",
  inGuest: (guest: string) => `Line for ${guest}`,
  checkedIn: (online: number, all: number) => `${online} of ${count(all, "guest", "guests")} checked in`,
  openJob: "Open the job",
  done: "Done",
  emptyTitle: "No job has run yet.",
  emptyText: "Discoveries, scans and installations appear here, each with its log and what came of every guest.",
  job: "Job",
  state: "State",
  targets: "Targets",
  by: "Started by",
  when: "When",
  took: "Took",
  progress: (done: number, total: number) => `${done} of ${total}`,
  failedPart: (amount: number) => `${amount} failed`,
  skippedPart: (amount: number) => `${amount} skipped`,
  jobGone: "This job is no longer kept.",
  guest: "Target",
  result: "Result",
  time: "Time",
  log: "Log",
  logOf: (name: string) => `Log of ${name}`,
  allLog: "Whole job",
  follow: "Follow",
  following: "Following",
  download: "Download",
  findInLog: "Find in the log",
  logEmpty: "No line yet.",
  logLost: (seconds: number) => `The log stream is cut, next try in ${seconds} s. Nothing is lost: it goes on behind the last line.`,
  omitted: (lines: number) => `${lines} lines left out`,
  cancel: "Cancel…",
  cancelTitle: "Cancel this job?",
  cancelText: "Targets that have not begun are left alone. What is running now is brought to an end first.",
  cancelIt: "Cancel the job",
  keepRunning: "Let it run",
  retry: "Retry failed",
  openGuest: "Open guest",
  goOnWithout: "Close, the job goes on",
};
