import { useNavigate } from "@tanstack/react-router";
import { useCallback, useMemo, useRef } from "react";
import { useRowMenu } from "../guests/useRowMenu";
import type { GridCommand } from "../parts/treegrid/keys";
import { TreeGrid } from "../parts/treegrid/TreeGrid";
import { type ColumnActions, fleetColumns } from "./columns";
import tableStyles from "./FleetTable.module.css";
import { phoneColumns } from "./PhoneRow";
import phoneStyles from "./PhoneRow.module.css";
import type { FleetRow, GuestRow } from "./rows";
import type { Selection } from "./selection";
import type { Sort } from "./sort";
import { guestsByNode, type ClusterTree } from "./tree";
import { words } from "./words";

interface Props {
  rows: readonly FleetRow[];
  trees: ReadonlyMap<string, ClusterTree>;
  match: ((guest: GuestRow["guest"]) => boolean) | null;
  selection: Selection;
  isList: boolean;
  sort: Sort | undefined;
  onSort: (next: Sort | undefined) => void;
  onToggle: (row: string) => void;
  isPhone: boolean;
  bottomSpace: number;
  /** Runs a bulk action over guests by its letter: S scan, I install agent. */
  onLetter: (letter: string, guests: readonly string[]) => boolean;
  onFilter: () => void;
}

/** The fleet as a tree-table: selection, keyboard and menus over what `rows` holds. */
export function FleetTable({ rows, trees, match, selection, isList, sort, onSort, onToggle, isPhone, bottomSpace, onLetter, onFilter }: Props) {
  const navigate = useNavigate();
  const lastPicked = useRef<string | null>(null);
  const { menu, openMenu } = useRowMenu();

  const guestsOf = useCallback(
    (row: FleetRow): readonly string[] => {
      if (row.kind === "guest") return [row.guest.id];
      if (row.kind === "wait") return [];
      const tree = trees.get(row.cluster.id);
      if (!tree) return [];
      const guests = row.kind === "node" ? (guestsByNode(tree).get(row.node.name) ?? []) : [...tree.guests.values()];
      return (match ? guests.filter(match) : guests).map((guest) => guest.id);
    },
    [trees, match],
  );
  const every = useMemo(() => rows.flatMap((row) => (row.kind === "cluster" || (isList && row.kind === "guest") ? guestsOf(row) : [])), [rows, guestsOf, isList]);
  const share = (ids: readonly string[]) => {
    const chosen = ids.reduce((sum, id) => sum + Number(selection.ids.has(id)), 0);
    return chosen === 0 ? "none" : chosen === ids.length ? "all" : "some";
  };
  const selectRange = (row: FleetRow) => {
    const from = rows.findIndex((each) => each.id === lastPicked.current);
    const to = rows.indexOf(row);
    const between = rows.slice(Math.min(from, to), Math.max(from, to) + 1);
    selection.set(between.flatMap((each) => (each.kind === "guest" ? [each.id] : [])), true);
  };
  const actions: ColumnActions = {
    isList,
    sort,
    onSort,
    selection: (row) => share(guestsOf(row)),
    select: (row, range) => {
      if (range && lastPicked.current) selectRange(row);
      else selection.toggle(guestsOf(row));
      lastPicked.current = row.id;
    },
    toggleOpen: (row) => onToggle(row.id),
    menu: (row, anchor) => openMenu(row, guestsOf(row), anchor, null),
    allSelected: every.length === 0 ? "none" : share(every),
    selectAll: () => selection.toggle(every),
  };

  const open = (row: FleetRow) => {
    if (row.kind === "cluster") void navigate({ to: "/fleet/$cluster", params: { cluster: row.cluster.id } });
    if (row.kind === "node") void navigate({ to: "/fleet/$cluster/nodes/$node", params: { cluster: row.cluster.id, node: row.node.name } });
    if (row.kind === "guest") void navigate({ to: "/fleet/$cluster/guests/$vmid", params: { cluster: row.guest.cluster, vmid: String(row.guest.vmid) } });
  };
  const onCommand = (command: GridCommand, row: FleetRow, index: number) => {
    if (command.kind === "open") open(row);
    else if ((command.kind === "child" && row.expanded === false) || (command.kind === "parent" && row.expanded)) onToggle(row.id);
    else if (command.kind === "select") actions.select(row, false);
    else if (command.kind === "selectAll") selection.set(every, true);
    else if (command.kind === "extend") selection.set([row, rows[index + command.by]].flatMap((each) => (each?.kind === "guest" ? [each.id] : [])), true);
    else if (command.kind === "letter") letter(command.letter, row);
  };
  const letter = (key: string, row: FleetRow) => {
    if (key === "/") onFilter();
    else if (!onLetter(key, selection.ids.size > 0 ? [...selection.ids] : guestsOf(row)) && key === "r") open(row);
  };
  const columns = isPhone ? phoneColumns(actions) : fleetColumns(actions);
  return (
    <>
      <TreeGrid
        label={words.tableLabel}
        className={isPhone ? phoneStyles.phone : tableStyles.table}
        rowClass={(row) => (row.kind === "cluster" ? tableStyles.cluster : undefined)}
        rows={rows}
        columns={columns}
        onCommand={onCommand}
        onMenu={(row, anchor, at) => row.kind !== "wait" && openMenu(row, guestsOf(row), anchor, at)}
        isProblem={(row) => row.kind === "guest" && problemTicks.has(row.guest.tick)}
        bottomSpace={bottomSpace}
      />
      {menu}
    </>
  );
}

const problemTicks = new Set(["failed", "needs_attention", "rolled_back", "unknown", "security"]);
