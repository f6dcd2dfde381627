import { ListTree, PackageCheck, RadioTower, ScrollText, Settings2, SquareActivity } from "lucide-react";
import type { ReactNode } from "react";
import { words } from "./words";

interface Place {
  readonly to: "/" | "/fleet" | "/jobs" | "/agents" | "/audit" | "/settings";
  readonly label: string;
  readonly icon: ReactNode;
  readonly badge?: "updates" | "guests" | "jobs";
}

const icon = { size: 15, strokeWidth: 1.75, "aria-hidden": true } as const;

/** Where one can go, in the order of use; a place that does not exist yet is not shown. */
export const places: readonly Place[] = [
  { to: "/", label: words.updates, icon: <PackageCheck {...icon} />, badge: "updates" },
  { to: "/fleet", label: words.fleet, icon: <ListTree {...icon} />, badge: "guests" },
  { to: "/jobs", label: words.jobs, icon: <SquareActivity {...icon} />, badge: "jobs" },
  { to: "/agents", label: words.agents, icon: <RadioTower {...icon} /> },
];

export const adminPlaces: readonly Place[] = [
  { to: "/audit", label: words.audit, icon: <ScrollText {...icon} /> },
  { to: "/settings", label: words.settings, icon: <Settings2 {...icon} /> },
];
