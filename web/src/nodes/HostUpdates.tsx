import type { Node } from "../api/model";
import { Shield } from "../parts/Shield";
import styles from "./HostUpdates.module.css";
import { words } from "./words";

/** What waits on the host itself, beside the updates of its guests. Nothing is said while it is not known. */
export function HostUpdates({ node: { updates } }: { node: Node }) {
  const { total, security } = updates;
  if (total === null || total === undefined) return null;
  if (total === 0) return <span className={styles.quiet}>{words.hostUpToDate}</span>;
  return (
    <span className={styles.host} title={updates.reason ?? undefined}>
      {words.hostUpdates(total)}
      {security ? <Shield amount={security} /> : null}
    </span>
  );
}
