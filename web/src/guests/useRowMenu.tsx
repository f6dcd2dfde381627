import { useNavigate } from "@tanstack/react-router";
import { Copy, Eye } from "lucide-react";
import { type ReactNode, useRef, useState } from "react";
import { asCurl, call } from "../api/call";
import type { FleetRow } from "../fleet/rows";
import { copyAndSay } from "../parts/copy";
import { MenuAt, type MenuEntry } from "../parts/Menu";
import { words as partWords } from "../parts/words";
import { bulkActions, guestActionWords } from "./actions";
import { useGuestAction } from "./useGuestAction";

interface Opened {
  readonly row: Exclude<FleetRow, { kind: "wait" }>;
  readonly guests: readonly string[];
}

/** The menu of a fleet row: right click, Shift+F10, "." or the row's button. The same actions as in the bulk bar. */
export function useRowMenu(): { menu: ReactNode; openMenu: (row: FleetRow, guests: readonly string[], anchor: Element, at: { x: number; y: number } | null) => void } {
  const [opened, setOpened] = useState<Opened | null>(null);
  const anchor = useRef<Element | null>(null);
  const spot = useRef<HTMLSpanElement>(null);
  const navigate = useNavigate();
  const { run, dialog } = useGuestAction();

  const openMenu = (row: FleetRow, guests: readonly string[], element: Element, at: { x: number; y: number } | null) => {
    if (row.kind === "wait") return;
    anchor.current = element;
    if (at && spot.current) {
      spot.current.style.left = `${at.x}px`;
      spot.current.style.top = `${at.y}px`;
      anchor.current = spot.current;
    }
    setOpened({ row, guests });
  };
  const close = () => setOpened(null);

  const entries = ({ row, guests }: Opened): MenuEntry[] => {
    const details: MenuEntry = { id: "open", label: "Open details", icon: <Eye size={15} aria-hidden />, keys: "Enter", run: () => void open(row) };
    const own = row.kind === "guest" ? row.guest.actions : [];
    const acts: MenuEntry[] =
      row.kind === "guest"
        ? own.flatMap(({ name, allowed, reason }) => {
            const known = guestActionWords[name];
            return known ? [{ id: name, label: known.label, icon: known.icon, keys: known.letter, reason: allowed ? null : (reason ?? "Not possible now."), run: () => run(name, row.guest) }] : [];
          })
        : bulkActions.map((action) => ({
            id: action.name,
            label: action.labelFor(guests.length, guests.length),
            icon: action.icon,
            keys: action.letter.toUpperCase(),
            reason: guests.length === 0 ? "There is no guest here." : null,
            run: () => run(action.name, guests),
          }));
    return [...acts, details, { id: "copy", label: partWords.copyAsApiCall, icon: <Copy size={15} aria-hidden />, run: () => void copyAndSay(asCurl(readCall(row))) }];
  };
  const open = ({ kind, ...row }: Opened["row"]) => {
    if (kind === "cluster" && "cluster" in row) return navigate({ to: "/fleet/$cluster", params: { cluster: row.cluster.id } });
    if (kind === "node" && "node" in row) return navigate({ to: "/fleet/$cluster/nodes/$node", params: { cluster: row.cluster.id, node: row.node.name } });
    return "guest" in row ? navigate({ to: "/fleet/$cluster/guests/$vmid", params: { cluster: row.guest.cluster, vmid: String(row.guest.vmid) } }) : undefined;
  };

  const menu = (
    <>
      <span ref={spot} className="pointerSpot" aria-hidden="true" />
      {opened && <MenuAt anchor={anchor} title={titleOf(opened)} entries={entries(opened)} onClose={close} />}
      {dialog}
    </>
  );
  return { menu, openMenu };
}

function titleOf({ row, guests }: Opened): string {
  if (row.kind === "guest") return `${row.guest.name}, ${row.guest.vmid} on ${row.guest.node}`;
  return `${row.kind === "node" ? row.node.name : row.cluster.name}, ${guests.length === 1 ? "1 guest" : `${guests.length} guests`}`;
}

function readCall(row: Opened["row"]) {
  if (row.kind === "guest") return call("get", "/api/v1/guests/{id}", { path: { id: row.guest.id } });
  return call("get", "/api/v1/proxmox/clusters/{id}/hierarchy", { path: { id: row.cluster.id } });
}
