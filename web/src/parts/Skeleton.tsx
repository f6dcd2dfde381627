import { useEffect, useState } from "react";
import styles from "./Skeleton.module.css";
import { words } from "./words";

/** Stands for rows that are on the way: nothing for 150 ms, then their geometry, after 10 s a sentence. */
export function Skeleton({ rows = 8, what }: { rows?: number; what: string }) {
  const [seconds, setSeconds] = useState(-1);
  useEffect(() => {
    const started = Date.now();
    const shown = setTimeout(() => setSeconds(0), 150);
    const counting = setInterval(() => setSeconds(Math.round((Date.now() - started) / 1000)), 1000);
    return () => {
      clearTimeout(shown);
      clearInterval(counting);
    };
  }, []);
  if (seconds < 0) return null;
  return (
    <div className={styles.skeleton} role="status" aria-label={`${words.loading}: ${what}`}>
      {seconds >= 10 && <p className={styles.slow}>{words.slow(what, seconds)}</p>}
      {Array.from({ length: rows }, (_, row) => (
        <div key={row} className={styles.row}>
          <span className={styles.box} />
          <span className={`${styles.bar} ${styles[`w${row % 4}`]}`} />
          <span className={styles.end} />
        </div>
      ))}
    </div>
  );
}
