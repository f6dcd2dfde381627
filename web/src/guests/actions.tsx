import { CircleStop, Download, RefreshCw, RotateCw, ScanSearch, SquareTerminal, Trash2 } from "lucide-react";
import type { ReactNode } from "react";
import { type ApiCall, call } from "../api/call";
import type { Bulk } from "../api/model";

/** What can be done with a set of guests in one call. The server decides for which of them. */
export interface BulkAction {
  readonly name: "scan" | "install_agent";
  readonly letter: string;
  readonly icon: ReactNode;
  readonly label: string;
  /** "Scan 6 of 7", "Install agents in 3 guests" */
  readonly labelFor: (accepted: number, selected: number) => string;
  readonly call: (guests: readonly string[], dryRun?: boolean) => ApiCall<Bulk>;
}

const body = (guests: readonly string[], dryRun?: boolean) => (dryRun ? { guests: [...guests], dry_run: true } : { guests: [...guests] });
const some = (verb: string, accepted: number, selected: number) => `${verb} ${accepted === selected ? selected : `${accepted} of ${selected}`}`;

export const bulkActions: readonly BulkAction[] = [
  {
    name: "scan",
    letter: "s",
    icon: <RefreshCw size={14} aria-hidden />,
    label: "Scan",
    labelFor: (accepted, selected) => (selected === 1 ? "Scan" : some("Scan", accepted, selected)),
    call: (guests, dryRun) => call("post", "/api/v1/guests/bulk-scan", { body: body(guests, dryRun) }),
  },
  {
    name: "install_agent",
    letter: "i",
    icon: <Download size={14} aria-hidden />,
    label: "Install agents",
    labelFor: (accepted, selected) => (selected === 1 ? "Install agent" : some("Install agents in", accepted, selected)),
    call: (guests, dryRun) => call("post", "/api/v1/guests/bulk-install", { body: body(guests, dryRun) }),
  },
];

/** The words of the actions that the server names on a guest. An action without words here is not offered by this dashboard. */
export const guestActionWords: Readonly<Record<string, { readonly label: string; readonly icon: ReactNode; readonly letter?: string }>> = {
  scan: { label: "Scan", icon: <RefreshCw size={15} aria-hidden />, letter: "S" },
  install_agent: { label: "Install agent", icon: <Download size={15} aria-hidden />, letter: "I" },
  set_console_mode: { label: "Set cmode…", icon: <SquareTerminal size={15} aria-hidden /> },
  reinstall_agent: { label: "Install agent again", icon: <RotateCw size={15} aria-hidden /> },
  remove_agent: { label: "Remove agent…", icon: <Trash2 size={15} aria-hidden /> },
  discover: { label: "Discover now", icon: <ScanSearch size={15} aria-hidden /> },
  cancel: { label: "Cancel", icon: <CircleStop size={15} aria-hidden /> },
};
