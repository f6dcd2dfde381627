import { Link } from "@tanstack/react-router";
import { Box, ChevronDown, ChevronRight, Layers, Monitor, Server } from "lucide-react";
import type { Guest } from "../api/model";
import { kindWord } from "../guests/words";
import styles from "./FleetTable.module.css";
import { nameOf } from "./columns";
import type { FleetRow } from "./rows";
import { words } from "./words";

/** Name, place in the tree, kind and key of a row. */
export function NameCell({ row, isList, onToggle }: { row: FleetRow; isList: boolean; onToggle: (row: FleetRow) => void }) {
  if (row.kind === "wait") return <span className={`${styles.third} ${styles.waitName}`}>{words.reading}…</span>;
  return (
    <>
      {Array.from({ length: row.level - 1 }, (_, depth) => (
        <span key={depth} className={`${styles.guide} ${row.level === depth + 2 && row.posInSet === row.setSize ? styles.lastGuide : ""}`} />
      ))}
      {row.expanded !== undefined && (
        <button type="button" tabIndex={-1} className={styles.twisty} aria-label={`${row.expanded ? "Close" : "Open"} ${nameOf(row)}`} onClick={() => onToggle(row)}>
          {row.expanded ? <ChevronDown size={14} aria-hidden /> : <ChevronRight size={14} aria-hidden />}
        </button>
      )}
      <span className={styles.kind}>
        <KindIcon row={row} />
      </span>
      <NameLink row={row} />
      <span className={styles.key}>{keyOf(row, isList)}</span>
    </>
  );
}

function GuestKind({ kind }: { kind: Guest["kind"] }) {
  const Icon = kind === "qemu" ? Monitor : Box;
  return <Icon size={15} strokeWidth={1.75} aria-label={kindWord[kind]} role="img" />;
}

function KindIcon({ row }: { row: Exclude<FleetRow, { kind: "wait" }> }) {
  if (row.kind === "guest") return <GuestKind kind={row.guest.kind} />;
  const Icon = row.kind === "node" ? Server : Layers;
  return <Icon size={15} strokeWidth={1.75} aria-hidden />;
}

function NameLink({ row }: { row: Exclude<FleetRow, { kind: "wait" }> }) {
  if (row.kind === "cluster") {
    return (
      <Link className={styles.strong} tabIndex={-1} to="/fleet/$cluster" params={{ cluster: row.cluster.id }}>
        {row.cluster.name}
      </Link>
    );
  }
  if (row.kind === "node") {
    return (
      <Link className={styles.strong} tabIndex={-1} to="/fleet/$cluster/nodes/$node" params={{ cluster: row.cluster.id, node: row.node.name }}>
        {row.node.name}
      </Link>
    );
  }
  const { guest } = row;
  return (
    <Link className={guest.status === "running" ? styles.guestName : styles.offName} tabIndex={-1} to="/fleet/$cluster/guests/$vmid" params={{ cluster: guest.cluster, vmid: String(guest.vmid) }}>
      {guest.name}
    </Link>
  );
}

function keyOf(row: Exclude<FleetRow, { kind: "wait" }>, isList: boolean): string {
  if (row.kind === "guest") return isList ? words.place(row.guest.vmid, row.guest.node, row.clusterName) : String(row.guest.vmid);
  const { guests } = (row.kind === "node" ? row.node : row.cluster).rollup;
  if (row.shown !== undefined) return words.shownOf(row.shown, guests);
  if (row.kind === "cluster") return host(row.cluster.endpoints[0]);
  return guests === 0 ? words.noneInCluster : words.guests(guests);
}

function host(endpoint: string | undefined): string {
  if (!endpoint) return "";
  return URL.canParse(endpoint) ? new URL(endpoint).hostname : endpoint;
}
