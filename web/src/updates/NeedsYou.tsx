import { Link } from "@tanstack/react-router";
import type { GlyphName, Tone } from "../parts/Glyph";
import { Glyph } from "../parts/Glyph";
import { number } from "../words/plural";
import type { Need } from "./summary";
import styles from "./UpdatesPage.module.css";
import { words } from "./words";

const mostShown = 8;
const looks: Record<Need["kind"], [GlyphName, Tone]> = {
  cluster: ["failed", "bad"],
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
          <li key={need.kind === "cluster" ? need.cluster.id : need.guest.id} className={styles.need}>
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

function NeedWords({ need }: { need: Need }) {
  if (need.kind === "cluster") {
    return (
      <>
        <strong>{words.clusterError(need.cluster.name)}</strong>
        <p className={styles.needText}>{need.cluster.error?.detail}</p>
        <Link className={`link ${styles.needLink}`} to="/fleet/$cluster" params={{ cluster: need.cluster.id }}>
          {words.openCluster}
        </Link>
      </>
    );
  }
  const { guest } = need;
  const text = {
    failed: [words.scanFailed(guest.name), guest.updates.reason],
    stale: [words.staleScan(guest.name), guest.updates.reason],
    offline: [words.agentOffline(guest.name), guest.agent.reason],
    reach: [words.oneStep(guest.name), guest.reach.needs_step],
  }[need.kind];
  return (
    <>
      <strong>{text[0]}</strong>
      {text[1] && <p className={styles.needText}>{text[1]}</p>}
      <Link className={`link ${styles.needLink}`} to="/fleet/$cluster/guests/$vmid" params={{ cluster: guest.cluster, vmid: String(guest.vmid) }}>
        {need.kind === "reach" ? words.fixReach : words.open}
      </Link>
    </>
  );
}
