import type { Tick } from "../api/model";

/** What a tick says, in words. */
export const tickWord: Record<Tick, string> = {
  failed: "failed",
  needs_attention: "needs attention",
  rolled_back: "rolled back",
  running: "running",
  waiting: "waiting",
  security: "security",
  updates: "updates",
  unknown: "unknown or stale",
  up_to_date: "up to date",
  off: "off or not supported",
};

/** The order in which states are counted out. */
export const tickOrder = Object.keys(tickWord) as readonly Tick[];

export const words = {
  copy: "Copy",
  copied: "Copied",
  copyFailed: "The browser does not allow copying here. Select the text and copy it by hand.",
  close: "Close",
  back: "Back",
  cancel: "Cancel",
  tryAgain: "Try again",
  requestId: (id: string) => `Request ${id}`,
  copyAsApiCall: "Copy as API call",
  loading: "Loading",
  slow: (what: string, seconds: number) => `${what} is slow, ${seconds} s so far`,
  security: (amount: number) => `${amount} security`,
  actionsFor: (name: string) => `Actions for ${name}`,
  moreActions: "More actions",
  select: (name: string) => `Select ${name}`,
  showSecret: "Shown once. Muster keeps only a hash of it.",
};
