import { useQuery } from "@tanstack/react-query";
import type { Cluster, DiscoveryRow } from "../api/model";
import { queries } from "../api/queries";
import { Page } from "../app/Page";
import { Ago } from "../parts/Ago";
import { Empty } from "../parts/Empty";
import { ProblemNote } from "../parts/ProblemNote";
import { Skeleton } from "../parts/Skeleton";
import { Table } from "../parts/Table";
import { listed } from "../words/plural";
import { duration } from "../words/time";
import styles from "./tabs.module.css";
import { words } from "./words";

/** Every discovery: what it found, what changed since the one before, what did not answer. */
export function DiscoveryLog({ cluster }: { cluster: Cluster }) {
  const log = useQuery(queries.discoveries(cluster.id));
  if (log.error) return <Page.Section plain><ProblemNote error={log.error} onRetry={() => void log.refetch()} /></Page.Section>;
  if (!log.data) return <Skeleton what={words.discovery} />;
  if (log.data.length === 0) return <Empty title={words.discoveryEmpty} />;
  const { columns } = words;
  return (
    <Table
      label={words.discovery}
      rows={log.data}
      rowKey={(row) => row.id}
      columns={[
        { id: "when", header: columns.when, head: true, cell: (row) => <Ago at={row.started_at} suffix=" ago" /> },
        { id: "why", header: columns.why, quiet: true, cell: (row) => words.trigger[row.trigger] ?? row.trigger },
        { id: "found", header: columns.found, cell: (row) => words.found(row.nodes_found, row.guests_found) },
        { id: "changes", header: columns.changes, long: true, cell: (row) => <Changes row={row} /> },
        { id: "problems", header: columns.problems, long: true, cell: (row) => <Problems row={row} /> },
        { id: "took", header: columns.took, quiet: true, cell: (row) => duration(row.duration_ms) },
      ]}
    />
  );
}

function Changes({ row }: { row: DiscoveryRow }) {
  const parts = ([["newOnes", row.new], ["changed", row.changed], ["gone", row.gone]] as const).filter(([, found]) => found.length > 0);
  if (parts.length === 0) return <span className={styles.quiet}>{words.nothingNew}</span>;
  return <>{parts.map(([kind, found]) => `${words[kind]}: ${listed(found.map(nameOf), 4)}`).join("; ")}</>;
}

function Problems({ row }: { row: DiscoveryRow }) {
  if (row.errors.length === 0) return null;
  return <span className={styles.bad}>{row.errors.map((error) => [error.node, error.detail].filter(Boolean).join(": ")).join("; ")}</span>;
}

function nameOf({ name, facts }: DiscoveryRow["new"][number]): string {
  return facts && facts.length > 0 ? `${name} (${facts.join(", ")})` : name;
}
