import { number } from "../words/plural";
import { Glyph } from "./Glyph";
import styles from "./Shield.module.css";
import { words } from "./words";

/** The security part of a count. */
export function Shield({ amount }: { amount: number }) {
  return (
    <span className={styles.shield} title={words.security(amount)}>
      <Glyph name="shield" tone="warn" size={12} />
      <span>{number(amount)}</span>
      <span className="offscreen">security</span>
    </span>
  );
}
