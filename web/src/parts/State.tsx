import type { ReactNode } from "react";
import { Glyph, type GlyphName, type Tone } from "./Glyph";
import styles from "./State.module.css";

/** A state: its form and its word, always both. */
export function State({ glyph, tone, children, strong }: { glyph: GlyphName; tone: Tone; children: ReactNode; strong?: boolean }) {
  return (
    <span className={`${styles.state} ${strong ? styles.strong : ""}`}>
      <Glyph name={glyph} tone={tone} />
      <span className={styles.word}>{children}</span>
    </span>
  );
}
