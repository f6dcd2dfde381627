import styles from "./CopyBlock.module.css";
import { CopyButton } from "./CopyButton";

/** A command or a secret to take along: monospace, as it is, with a copy button. */
export function CopyBlock({ text, label, wrap }: { text: string; label: string; wrap?: boolean }) {
  return (
    <div className={styles.block}>
      <pre className={`${styles.text} ${wrap ? styles.wrap : ""}`} tabIndex={0} aria-label={label}>
        {text}
      </pre>
      <div className={styles.button}>
        <CopyButton text={text} iconOnly label={`Copy: ${label}`} />
      </div>
    </div>
  );
}
