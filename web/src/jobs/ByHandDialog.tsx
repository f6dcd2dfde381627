import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Bulk } from "../api/model";
import { queries } from "../api/queries";
import { useNow } from "../parts/Ago";
import { Button } from "../parts/Button";
import { CopyBlock } from "../parts/CopyBlock";
import { Dialog } from "../parts/Dialog";
import { count, listed } from "../words/plural";
import { until } from "../words/time";
import styles from "./ByHandDialog.module.css";
import { TargetState } from "./TargetState";
import { words } from "./words";

/** The lines that install agents by hand, and beside them, live, which guest has checked in. */
export function ByHandDialog({ bulk, onClose }: { bulk: Bulk; onClose: () => void }) {
  const now = useNow();
  const job = bulk.job?.id;
  const targets = useQuery({ ...queries.jobTargets(job ?? ""), enabled: job !== undefined });
  const lines = bulk.by_hand ?? { guests: [], nodes: [] };
  const stateOf = (guest: string) => targets.data?.find((target) => target.guest?.id === guest);
  const guestOf = (id: string) => (bulk.targets.find((target) => target.guest.id === id) ?? targets.data?.find((target) => target.guest?.id === id))?.guest;
  const online = targets.data?.filter((target) => target.state === "succeeded").length ?? 0;
  const all = lines.guests.length;
  const expires = lines.guests[0]?.expires_at;
  return (
    <Dialog
      title={all > 0 && online === all ? words.allOnline(all) : words.pasteTitle(all)}
      width="wide"
      keep={online < all}
      onClose={onClose}
      footer={
        <>
          <span className={styles.progress} role="status">
            {words.checkedIn(online, all)}
          </span>
          {job && (
            <Link className={styles.link} to="/jobs/$job" params={{ job }} onClick={onClose}>
              {words.openJob}
            </Link>
          )}
          <Button look={online === all ? "primary" : "plain"} onPress={onClose}>
            {online === all ? words.done : words.goOnWithout}
          </Button>
        </>
      }
    >
      <p className={styles.lead}>
        {words.pasteWhy} {expires && words.validFor(until(expires, now))}
      </p>
      {lines.nodes.map(({ node, line, guests }) => (
        <section key={node} className={styles.line}>
          <h3>{words.onNode(node)}</h3>
          <p className={styles.hint}>{words.doesGuests(listed(guests.map((id) => guestOf(id)?.name ?? id), 6))}</p>
          <CopyBlock text={line} label={words.onNode(node)} wrap />
        </section>
      ))}
      <section className={styles.line}>
        {lines.nodes.length > 0 && <h3>{words.orInGuest}</h3>}
        <ul className={styles.guests}>
          {lines.guests.map(({ guest: id, line }) => {
            const target = stateOf(id);
            const guest = guestOf(id);
            return (
              <li key={id}>
                <details open={lines.nodes.length === 0 && all <= 3}>
                  <summary className={styles.guest}>
                    <span>
                      <strong>{guest?.name ?? id}</strong> {guest && <span className={styles.hint}>{`${guest.vmid} on ${guest.node}`}</span>}
                    </span>
                    {target && <TargetState target={target} />}
                  </summary>
                  <CopyBlock text={line} label={words.inGuest(guest?.name ?? id)} wrap />
                </details>
              </li>
            );
          })}
        </ul>
      </section>
      <Skipped bulk={bulk} />
    </Dialog>
  );
}

function Skipped({ bulk }: { bulk: Bulk }) {
  const skipped = bulk.targets.filter((target) => target.decision === "skipped");
  if (skipped.length === 0) return null;
  return (
    <section className={styles.line}>
      <h3>{count(skipped.length, "guest is", "guests are")} left out</h3>
      <ul>
        {skipped.map(({ guest, reason }) => (
          <li key={guest.id} className={styles.hint}>
            {guest.name}: {reason?.detail}
          </li>
        ))}
      </ul>
    </section>
  );
}
