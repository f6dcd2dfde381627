import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Guest } from "../api/model";
import type { GlyphName, Tone } from "../parts/Glyph";
import { Glyph } from "../parts/Glyph";
import { listed, number } from "../words/plural";
import type { Need } from "./summary";
import styles from "./UpdatesPage.module.css";
import { words } from "./words";

const mostShown = 8;
const looks: Record<Need["kind"], [GlyphName, Tone]> = {
  cluster: ["failed", "bad"],
  node: ["failed", "bad"],
  hosts: ["step", "warn"],
  locked: ["locked", "warn"],
  backup: ["attention", "warn"],
  stopped: ["stopped", "quiet"],
  failed: ["attention", "warn"],
  offline: ["offline", "bad"],
  stale: ["stale", "quiet"],
  reach: ["step", "warn"],
};

/** What waits for a person, each with its reason and the place where it is solved. */
export function NeedsYou({ needs }: { needs: readonly Need[] }) {
  return (
    <aside className={styles.side} aria-label={words.needsYou}>
      <h2 className={styles.sideHead}>
        {words.needsYou} <span className={styles.quiet}>{number(needs.length)}</span>
      </h2>
      {needs.length === 0 && <p className={styles.quiet}>{words.nothingNeedsYou}</p>}
      <ul className={styles.needs}>
        {needs.slice(0, mostShown).map((need) => (
          <li key={keyOf(need)} className={styles.need}>
            <Glyph name={looks[need.kind][0]} tone={looks[need.kind][1]} />
            <NeedWords need={need} />
          </li>
        ))}
      </ul>
      {needs.length > mostShown && (
        <Link className="link" to="/fleet" search={{ show: "unknown" }}>
          {words.moreOf(needs.length - mostShown)}
        </Link>
      )}
    </aside>
  );
}

function keyOf(need: Need): string {
  if ("cluster" in need) return need.cluster.id;
  if ("node" in need) return need.node.id;
  return "guest" in need ? need.guest.id : need.kind;
}

function NeedWords({ need }: { need: Need }) {
  const linkClass = `link ${styles.needLink}`;
  if ("cluster" in need) {
    return (
      <Words title={words.clusterError(need.cluster.name)} text={need.cluster.error?.detail}>
        <Link className={linkClass} to="/fleet/$cluster" params={{ cluster: need.cluster.id }}>
          {words.openCluster}
        </Link>
      </Words>
    );
  }
  if ("node" in need) {
    const { node } = need;
    return (
      <Words title={words.nodeOffline(node.name)} text={words.nodeOfflineText}>
        <Link className={linkClass} to="/fleet/$cluster/nodes/$node" params={{ cluster: node.cluster, node: node.name }}>
          {words.openNode}
        </Link>
      </Words>
    );
  }
  if ("nodes" in need) {
    const amounts = need.nodes.map(({ name, updates }) => words.hostCount(name, updates.total ?? 0, updates.security ?? 0));
    const [first] = need.nodes;
    return (
      <Words title={words.hostUpdates(need.nodes.length)} text={`${listed(amounts, 6)}.`}>
        {need.nodes.length === 1 && first ? (
          <Link className={linkClass} to="/fleet/$cluster/nodes/$node" params={{ cluster: first.cluster, node: first.name }}>
            {words.openNode}
          </Link>
        ) : (
          <Link className={linkClass} to="/fleet">
            {words.openFleet}
          </Link>
        )}
      </Words>
    );
  }
  if ("guests" in need) {
    const names = listed(need.guests.map((guest) => guest.name), 4);
    const isBackup = need.kind === "backup";
    return (
      <Words title={isBackup ? words.noBackup(need.guests.length) : words.stopped(need.guests.length)} text={isBackup ? `${names}.` : `${names}. ${words.stoppedText}`}>
        <Link className={linkClass} to="/fleet" search={{ q: isBackup ? "backup:none" : "status:stopped" }}>
          {words.show}
        </Link>
      </Words>
    );
  }
  const { guest } = need;
  const [title, text] = guestWords(need.kind, guest);
  return (
    <Words title={title} text={text}>
      <Link className={linkClass} to="/fleet/$cluster/guests/$vmid" params={{ cluster: guest.cluster, vmid: String(guest.vmid) }}>
        {need.kind === "reach" ? words.fixReach : words.open}
      </Link>
    </Words>
  );
}

function guestWords(kind: "failed" | "stale" | "reach" | "offline" | "locked", guest: Guest): [string, string | null | undefined] {
  switch (kind) {
    case "failed":
      return [words.scanFailed(guest.name), guest.updates.reason];
    case "stale":
      return [words.staleScan(guest.name), guest.updates.reason];
    case "offline":
      return [words.agentOffline(guest.name), guest.agent.reason];
    case "locked":
      return [words.locked(guest.name, guest.lock ?? ""), words.lockedText];
    case "reach":
      return [words.oneStep(guest.name), guest.reach.needs_step];
  }
}

function Words({ title, text, children }: { title: string; text: string | null | undefined; children: ReactNode }) {
  return (
    <>
      <strong>{title}</strong>
      {text && <p className={styles.needText}>{text}</p>}
      {children}
    </>
  );
}
