import { count } from "../words/plural";

export const words = {
  online: "online",
  noAnswer: "does not answer",
  unknown: "unknown",
  status: "Status",
  version: "PVE version",
  address: "Address",
  cpu: "CPU",
  cpuOf: (percent: number, cpus: number) => `${percent} % of ${cpus}`,
  cpus: (cpus: number) => String(cpus),
  memory: "Memory",
  uptime: "Up for",
  updates: "Host updates",
  hostUpdates: (updates: number) => count(updates, "host update", "host updates"),
  hostUpToDate: "host up to date",
  guests: "Guests",
  notFound: "This node is not in the cluster.",
  stale: (name: string, guests: string) => `${name} does not answer. ${guests} keep their last state, marked stale.`,
};
