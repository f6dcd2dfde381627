import type { Agent, Guest, Updates } from "../api/model";
import type { GlyphName, Tone } from "../parts/Glyph";

type Look = { readonly glyph: GlyphName; readonly tone: Tone; readonly word: string };

/** A guest's own state. Normal states are drawn plainly, only deviations get colour. */
export const statusLook: Record<Guest["status"], Look> = {
  running: { glyph: "running", tone: "good", word: "running" },
  stopped: { glyph: "stopped", tone: "quiet", word: "stopped" },
  paused: { glyph: "paused", tone: "warn", word: "paused" },
  unknown: { glyph: "unknown", tone: "quiet", word: "unknown" },
};

export const agentLook: Record<Agent["state"], Look> = {
  none: { glyph: "waiting", tone: "quiet", word: "not installed" },
  enrolling: { glyph: "working", tone: "busy", word: "enrolling" },
  online: { glyph: "running", tone: "good", word: "online" },
  late: { glyph: "late", tone: "warn", word: "late" },
  offline: { glyph: "offline", tone: "bad", word: "offline" },
  quarantined: { glyph: "attention", tone: "warn", word: "quarantined" },
};

/** What stands in the place of a number that is not known. */
export const updatesWord: Record<Updates["state"], string> = {
  unknown: "never scanned",
  fresh: "",
  stale: "stale",
  failed: "scan failed",
  unsupported: "not supported",
};

export const kindWord: Record<Guest["kind"], string> = { lxc: "LXC", qemu: "VM" };

export const words = {
  locked: (lock: string) => `locked, ${lock}`,
  template: "template",
  gone: "gone",
  stale: "stale",
  staleSince: (age: string) => `last answer ${age} ago`,
  needsStep: "needs 1 step",
};

export const pageWords = {
  overview: "Overview",
  waiting: "Waiting updates",
  reach: "Reach",
  reachLead: "how a command gets in",
  inUse: "in use",
  goesInBy: (way: string) => `Work goes in by: ${way}.`,
  noUpdates: "Nothing waits.",
  noUpdatesText: "The last scan found every package at its newest version.",
  neverTitle: "Never scanned.",
  neverText: "What is out of date here is not known. A scan reads it and changes nothing but package lists.",
  unsupportedTitle: "No packages to count.",
  staleText: (age: string) => `This list is ${age} old.`,
  package: "Package",
  version: "Version",
  source: "Source",
  origin: "From",
  size: "Size",
  held: "held",
  security: "security",
  evidence: "Why security",
  agent: "Agent",
  status: "Status",
  updates: "Updates",
  system: "System",
  address: "Address",
  backup: "Backup",
  backups: { covered: "in a backup job", none: "in no backup job", unknown: "not known" },
  scannedAgo: (age: string) => `scanned ${age} ago`,
  reboot: "restart needed",
  notFound: "This guest is not in the cluster.",
  notFoundText: "It may have been deleted or moved to another cluster.",
  goneNote: "This guest is gone from the cluster since",
  facts: "Facts",
  cpus: "CPUs",
  memory: "Memory",
  disk: "Disk",
  unprivileged: "Privileges",
  isUnprivileged: "unprivileged",
  isPrivileged: "privileged",
  console: "Console",
  consoleShell: "opens a shell",
  consoleLogin: "asks for a login",
  mounts: "Mount points",
  hasMounts: "yes: data outside its own disk",
  pool: "Pool",
  tags: "Tags",
  firstSeen: "First seen",
  agentNone: "No agent is installed. With one, scans take seconds and need no console.",
  agentOnline: "The agent is connected.",
  agentVersion: (version: string) => `muster-agent ${version}`,
  lastSeen: "last seen",
  byHand: "Show the line to paste",
};
