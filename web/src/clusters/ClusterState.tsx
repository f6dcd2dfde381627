import type { Cluster } from "../api/model";
import { Ago } from "../parts/Ago";
import { State } from "../parts/State";
import { words } from "./words";

/** Whether a cluster answers, and since when not. */
export function ClusterState({ cluster }: { cluster: Cluster }) {
  if (cluster.status === "paused") return <State glyph="paused" tone="quiet">{words.paused}</State>;
  if (cluster.status === "active") return <State glyph="running" tone="good">{words.active}</State>;
  return (
    <State glyph="failed" tone="bad">
      <span title={cluster.error?.detail}>{words.error}</span>
      {cluster.error?.since && (
        <>
          , <Ago at={cluster.error.since} />
        </>
      )}
    </State>
  );
}
