import type { Rollup, Updates } from "../api/model";
import { Glyph } from "../parts/Glyph";
import { Shield } from "../parts/Shield";
import { number } from "../words/plural";
import styles from "./UpdateCount.module.css";
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

/** The updates of many guests together. Where none of them was ever counted, a zero would be a lie. */
export function RollupSum({ rollup: { marks, unknown, updates_total, security_total } }: { rollup: Rollup }) {
  const counted = Object.entries(marks).some(([mark, amount]) => amount > 0 && mark !== "unknown" && mark !== "off");
  if (counted || updates_total > 0) return <Sum total={updates_total} security={security_total} />;
  return unknown > 0 ? <UpdateCount updates={{ state: "unknown" }} /> : null;
}

function Sum({ total, security, quiet }: { total: number; security: number; quiet?: boolean }) {
  return (
    <span className={styles.count}>
      <span className={`${styles.total} ${total === 0 ? styles.zero : ""} ${quiet ? styles.old : ""}`}>{number(total)}</span>
      {security > 0 && <Shield amount={security} />}
    </span>
  );
}
