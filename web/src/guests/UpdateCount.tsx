import type { Guest, Rollup, Updates } from "../api/model";
import { Glyph } from "../parts/Glyph";
import { Shield } from "../parts/Shield";
import { number } from "../words/plural";
import { GuestWork } from "./GuestState";
import styles from "./UpdateCount.module.css";
import { missingWord } from "./sum";
import { updatesWord } from "./words";

/** How many updates wait: total, then the security part. Zero is grey; what is not known is a word, never 0. */
export function UpdateCount({ updates }: { updates: Updates }) {
  const { state, total, security, reason } = updates;
  const word = updatesWord[state];
  if (state === "unsupported") return <span className={styles.quiet} title={reason ?? undefined}>{word}</span>;
  if (total === null || total === undefined) {
    return (
      <span className={styles.unknown} title={reason ?? undefined}>
        <Glyph name={state === "failed" ? "attention" : "unknown"} tone={state === "failed" ? "warn" : "quiet"} />
        {word || updatesWord.unknown}
      </span>
    );
  }
  const isStale = state !== "fresh";
  return (
    <span className={styles.count}>
      <Sum total={total} security={security ?? 0} quiet={isStale} />
      {isStale && (
        <span className={styles.unknown} title={reason ?? undefined}>
          <Glyph name="stale" />
          {word}
        </span>
      )}
    </span>
  );
}

/** A guest's updates in a row; while a scan is under way its old count stays beside it. */
export function GuestCount({ guest: { updates, work } }: { guest: Guest }) {
  if (!work || work.kind === "install") return <UpdateCount updates={updates} />;
  return (
    <span className={styles.count}>
      {updates.total != null && <Sum total={updates.total} security={updates.security ?? 0} quiet />}
      <GuestWork work={work} />
    </span>
  );
}

/** The updates of many guests together, and beside the sum how many guests are not in it. */
export function RollupSum({ rollup }: { rollup: Rollup }) {
  const { updates_total: total, security_total: security } = rollup;
  const missing = missingWord(rollup);
  return (
    <span className={styles.count}>
      {total != null && <Sum total={total} security={security ?? 0} />}
      {missing && (
        <span className={styles.unknown}>
          {total == null && <Glyph name="unknown" tone="quiet" />}
          {missing}
        </span>
      )}
    </span>
  );
}

function Sum({ total, security, quiet }: { total: number; security: number; quiet?: boolean }) {
  return (
    <span className={styles.count}>
      <span className={`${styles.total} ${total === 0 ? styles.zero : ""} ${quiet ? styles.old : ""}`}>{number(total)}</span>
      {security > 0 && <Shield amount={security} />}
    </span>
  );
}
