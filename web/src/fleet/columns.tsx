import { Ellipsis } from "lucide-react";
import type { Guest } from "../api/model";
import { ClusterState } from "../clusters/ClusterState";
import { AgentState, GuestStatus, GuestWork } from "../guests/GuestState";
import { HostUpdates } from "../nodes/HostUpdates";
import { ReachChip } from "../guests/ReachChip";
import { shortSystem } from "../guests/system";
import { GuestCount, RollupSum } from "../guests/UpdateCount";
import { Ago } from "../parts/Ago";
import { Box } from "../parts/Check";
import { RollCall } from "../parts/RollCall";
import { State } from "../parts/State";
import type { Column } from "../parts/treegrid/TreeGrid";
import { words as partWords } from "../parts/words";
import styles from "./FleetTable.module.css";
import { NameCell } from "./NameCell";
import type { ClusterRow, FleetRow, NodeRow } from "./rows";
import { directionOf, nextSort, type Sort, type SortKey } from "./sort";
import { words } from "./words";

export interface ColumnActions {
  readonly isList: boolean;
  /** Whether all, some or none of what a row stands for is selected. */
  readonly selection: (row: FleetRow) => "all" | "some" | "none";
  readonly select: (row: FleetRow, range: boolean) => void;
  readonly toggleOpen: (row: FleetRow) => void;
  readonly menu: (row: FleetRow, anchor: Element) => void;
  readonly allSelected: "all" | "some" | "none";
  readonly selectAll: () => void;
  readonly sort: Sort | undefined;
  readonly onSort: (next: Sort | undefined) => void;
}

/** The columns of the fleet. Less important ones leave first when the table gets narrow (see FleetTable.module.css). */
export function fleetColumns(actions: ColumnActions): readonly Column<FleetRow>[] {
  const sort = (key: SortKey) => ({ direction: directionOf(actions.sort, key), press: () => actions.onSort(nextSort(actions.sort, key)) });
  return [
    {
      id: "select",
      className: styles.select,
      header: (
        <button type="button" className={styles.selectButton} onClick={actions.selectAll} aria-label={partWords.select(words.guests(2).replace("2 ", "all "))}>
          <Box state={actions.allSelected} />
        </button>
      ),
      cell: (row) =>
        row.kind === "wait" ? null : (
          <button
            type="button"
            tabIndex={-1}
            className={styles.selectButton}
            aria-label={partWords.select(nameOf(row))}
            onClick={(event) => actions.select(row, event.shiftKey)}
          >
            <Box state={actions.selection(row)} />
          </button>
        ),
    },
    { id: "name", header: words.columns.name, sort: sort("name"), className: styles.name, cell: (row) => <NameCell row={row} isList={actions.isList} onToggle={actions.toggleOpen} /> },
    { id: "status", header: words.columns.status, sort: sort("status"), className: styles.status, cell: statusCell },
    { id: "agent", header: words.columns.agent, sort: sort("agent"), className: styles.agent, cell: agentCell },
    { id: "updates", header: words.columns.updates, sort: sort("updates"), className: styles.updates, cell: updatesCell },
    { id: "reach", header: words.columns.reach, sort: sort("reach"), className: styles.reach, cell: (row) => (row.kind === "guest" ? <ReachChip guest={row.guest} /> : row.kind === "node" ? <HostUpdates node={row.node} /> : null) },
    { id: "system", header: words.columns.system, sort: sort("system"), className: styles.system, cell: systemCell },
    { id: "address", header: words.columns.address, sort: sort("address"), className: styles.address, cell: addressCell },
    { id: "scanned", header: words.columns.scanned, sort: sort("scanned"), className: styles.scanned, cell: scannedCell },
    {
      id: "menu",
      header: <span className="offscreen">{words.rowActions}</span>,
      className: styles.menu,
      cell: (row) =>
        row.kind === "wait" ? null : (
          <button type="button" tabIndex={-1} className={styles.menuButton} aria-label={partWords.actionsFor(nameOf(row))} onClick={(event) => actions.menu(row, event.currentTarget)}>
            <Ellipsis size={15} aria-hidden />
          </button>
        ),
    },
  ];
}

export function nameOf(row: FleetRow): string {
  if (row.kind === "guest") return row.guest.name;
  return row.kind === "node" ? row.node.name : row.cluster.name;
}

function statusCell(row: FleetRow) {
  if (row.kind === "guest") {
    return (
      <>
        <GuestStatus guest={row.guest} />
        {row.guest.backup === "none" && !row.guest.template && <span className={styles.old}>{words.noBackup}</span>}
      </>
    );
  }
  if (row.kind === "node") return <NodeStatus row={row} />;
  return row.kind === "cluster" ? <ClusterStatus row={row} /> : null;
}

function NodeStatus({ row: { node, guests } }: { row: NodeRow }) {
  if (node.status !== "online") {
    return (
      <State glyph={node.status === "offline" ? "offline" : "unknown"} tone={node.status === "offline" ? "bad" : "quiet"}>
        {words.offline}
        {node.stale_since && (
          <>
            , <Ago at={node.stale_since} />
          </>
        )}
      </State>
    );
  }
  return <RollCall ticks={guests} size="row" label={node.name} />;
}

function ClusterStatus({ row: { cluster, nodes } }: { row: ClusterRow }) {
  if (cluster.status !== "active") return <ClusterState cluster={cluster} />;
  if (cluster.discovery) return <State glyph="working" tone="busy">{words.discovering}</State>;
  if (nodes === 1 && !cluster.cluster_name) return <span className={styles.second}>{words.standalone}</span>;
  if (cluster.quorate === false) return <State glyph="attention" tone="warn">{words.notQuorate}</State>;
  return <span className={styles.second}>{[cluster.quorate ? words.quorate : "", nodes ? words.nodesOf(nodes, nodes) : ""].filter(Boolean).join(", ")}</span>;
}

function agentCell(row: FleetRow) {
  if (row.kind !== "guest") return null;
  const { agent, work } = row.guest;
  return work?.kind === "install" ? <GuestWork work={work} /> : <AgentState agent={agent} />;
}

function updatesCell(row: FleetRow) {
  if (row.kind === "guest") return <GuestCount guest={row.guest} />;
  if (row.kind === "wait") return null;
  return <RollupSum rollup={(row.kind === "node" ? row.node : row.cluster).rollup} />;
}

function systemCell(row: FleetRow) {
  if (row.kind === "guest") return row.guest.system ? <span className={styles.second} title={row.guest.system.name}>{shortSystem(row.guest.system.name)}</span> : <span className={styles.third}>{words.dash}</span>;
  const version = row.kind === "node" ? row.node.version : null;
  return version ? <span className={styles.second}>PVE {version}</span> : null;
}

function addressCell(row: FleetRow) {
  if (row.kind === "guest") return <Address guest={row.guest} />;
  return row.kind === "node" && row.node.address ? <span className={styles.second}>{row.node.address}</span> : null;
}

function Address({ guest }: { guest: Guest }) {
  if (!guest.address) return <span className={styles.third}>{words.dash}</span>;
  return (
    <span className={styles.second} title={guest.addresses.length > 1 ? guest.addresses.join(", ") : undefined}>
      {guest.address}
    </span>
  );
}

function scannedCell(row: FleetRow) {
  if (row.kind === "cluster" && row.cluster.last_discovered_at) return <span className={styles.third}><Ago at={row.cluster.last_discovered_at} /></span>;
  if (row.kind !== "guest") return null;
  const { scanned_at, state } = row.guest.updates;
  if (scanned_at) return <span className={state === "stale" ? styles.old : styles.third}><Ago at={scanned_at} /></span>;
  return state === "unsupported" ? <span className={styles.third}>{words.dash}</span> : <span className={styles.old}>{words.never}</span>;
}
