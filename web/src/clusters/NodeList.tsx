import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { ClusterTree } from "../fleet/tree";
import { RollupSum } from "../guests/UpdateCount";
import { NodeState } from "../nodes/NodeState";
import { words as fleetWords } from "../fleet/words";
import styles from "./NodeList.module.css";

/** The nodes of a cluster, one line each. */
export function NodeList({ tree, call }: { tree: ClusterTree; call: (node: string) => ReactNode }) {
  return (
    <ul className={styles.list}>
      {tree.nodes.map((node) => (
        <li key={node.id} className={styles.node}>
          <Link className="rowLink" to="/fleet/$cluster/nodes/$node" params={{ cluster: tree.cluster.id, node: node.name }}>
            {node.name}
          </Link>
          <NodeState node={node} />
          <span>{call(node.name)}</span>
          <span>
            <RollupSum rollup={node.rollup} />
          </span>
          <span className={styles.quiet}>{[fleetWords.guests(node.rollup.guests), node.version && `PVE ${node.version}`, node.address].filter(Boolean).join(", ")}</span>
        </li>
      ))}
    </ul>
  );
}
