import type { ReactNode } from "react";
import { Glyph, type GlyphName, type Tone } from "./Glyph";
import styles from "./Note.module.css";

type Kind = "info" | "good" | "warn" | "bad";
const glyphs: Record<Kind, [GlyphName, Tone]> = { info: ["current", "plain"], good: ["succeeded", "good"], warn: ["attention", "warn"], bad: ["failed", "bad"] };

/** What, why and what to do, in the place where it matters. */
export function Note({ kind, title, children, actions }: { kind: Kind; title?: ReactNode; children?: ReactNode; actions?: ReactNode }) {
  const [glyph, tone] = glyphs[kind];
  return (
    <div className={`${styles.note} ${styles[kind]}`} role={kind === "bad" ? "alert" : undefined}>
      <span className={styles.glyph}>
        <Glyph name={glyph} tone={tone} />
      </span>
      <div className={styles.body}>
        <div>
          {title && <strong>{title}</strong>} {children}
        </div>
        {actions && <div className={styles.actions}>{actions}</div>}
      </div>
    </div>
  );
}
