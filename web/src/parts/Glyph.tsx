import type { JSX } from "react";
import styles from "./Glyph.module.css";

/** Every state has a form of its own, so that it can be told without colour. 14 px, strokes in the current colour. */
const shapes = {
  running: <circle cx="7" cy="7" r="4" fill="currentColor" />,
  stopped: <rect x="3.25" y="3.25" width="7.5" height="7.5" rx="1.2" fill="none" stroke="currentColor" strokeWidth="1.5" />,
  paused: <path d="M5 3.5v7M9 3.5v7" stroke="currentColor" strokeWidth="1.8" strokeLinecap="round" />,
  locked: (
    <>
      <rect x="3" y="6.2" width="8" height="5.8" rx="1.2" fill="currentColor" />
      <path d="M4.8 6V4.6a2.2 2.2 0 0 1 4.4 0V6" fill="none" stroke="currentColor" strokeWidth="1.5" />
    </>
  ),
  late: (
    <>
      <circle cx="7" cy="7" r="4.2" fill="none" stroke="currentColor" strokeWidth="1.6" />
      <path d="M7 4.8V7l1.5 1" fill="none" stroke="currentColor" strokeWidth="1.4" strokeLinecap="round" />
    </>
  ),
  offline: (
    <>
      <circle cx="7" cy="7" r="4.2" fill="none" stroke="currentColor" strokeWidth="1.6" />
      <path d="M4.2 9.8l5.6-5.6" stroke="currentColor" strokeWidth="1.6" />
    </>
  ),
  unknown: (
    <>
      <circle cx="7" cy="7" r="5.2" fill="none" stroke="currentColor" strokeWidth="1.3" strokeDasharray="2 1.7" />
      <path d="M5.6 5.7c0-.9.6-1.4 1.4-1.4s1.4.5 1.4 1.3c0 .9-1.4 1-1.4 2" fill="none" stroke="currentColor" strokeWidth="1.2" strokeLinecap="round" />
      <circle cx="7" cy="9.6" r=".75" fill="currentColor" />
    </>
  ),
  stale: (
    <>
      <circle cx="7" cy="7" r="5" fill="none" stroke="currentColor" strokeWidth="1.4" strokeDasharray="2.2 1.8" />
      <path d="M7 4.5V7l1.6 1" fill="none" stroke="currentColor" strokeWidth="1.3" strokeLinecap="round" />
    </>
  ),
  succeeded: (
    <>
      <circle cx="7" cy="7" r="5.6" fill="currentColor" />
      <path d="M4.4 7.2l1.8 1.8 3.4-3.7" fill="none" className={styles.cut} strokeWidth="1.6" strokeLinecap="round" strokeLinejoin="round" />
    </>
  ),
  failed: (
    <>
      <rect x="2.6" y="2.6" width="8.8" height="8.8" rx="1.6" transform="rotate(45 7 7)" fill="currentColor" />
      <path d="M5.3 5.3l3.4 3.4M8.7 5.3L5.3 8.7" className={styles.cut} strokeWidth="1.5" strokeLinecap="round" />
    </>
  ),
  attention: (
    <>
      <path d="M7 1.6l5.7 10.2H1.3z" fill="currentColor" stroke="currentColor" strokeWidth="1" strokeLinejoin="round" />
      <path d="M7 5.4v2.9" className={styles.cut} strokeWidth="1.5" strokeLinecap="round" />
      <circle cx="7" cy="10.1" r=".8" className={styles.cutFill} />
    </>
  ),
  skipped: (
    <>
      <circle cx="7" cy="7" r="5" fill="none" stroke="currentColor" strokeWidth="1.4" />
      <path d="M4.6 7h4.8" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" />
    </>
  ),
  working: (
    <>
      <circle cx="7" cy="7" r="5" fill="none" className={styles.track} strokeWidth="1.8" />
      <path d="M7 2a5 5 0 0 1 4.6 7" fill="none" stroke="currentColor" strokeWidth="1.8" strokeLinecap="round" className={styles.ring} />
    </>
  ),
  waiting: <circle cx="7" cy="7" r="4.6" fill="none" stroke="currentColor" strokeWidth="1.4" />,
  current: (
    <>
      <circle cx="7" cy="7" r="4.8" fill="none" stroke="currentColor" strokeWidth="1.5" />
      <circle cx="7" cy="7" r="2" fill="currentColor" />
    </>
  ),
  step: (
    <>
      <circle cx="7" cy="7" r="5" fill="none" stroke="currentColor" strokeWidth="1.4" />
      <path d="M7 4.4v5.2M4.4 7h5.2" stroke="currentColor" strokeWidth="1.4" strokeLinecap="round" />
    </>
  ),
  impossible: <path d="M4 4l6 6M10 4l-6 6" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" />,
  noWay: (
    <>
      <circle cx="7" cy="7" r="5" fill="none" stroke="currentColor" strokeWidth="1.4" />
      <path d="M5.2 5.2l3.6 3.6M8.8 5.2L5.2 8.8" stroke="currentColor" strokeWidth="1.4" strokeLinecap="round" />
    </>
  ),
  shield: <path d="M7 1.2l4.8 1.7v3.6c0 3-2 5-4.8 6.3C4.2 11.5 2.2 9.5 2.2 6.5V2.9z" fill="currentColor" />,
} satisfies Record<string, JSX.Element>;

export type GlyphName = keyof typeof shapes;
export type Tone = "good" | "quiet" | "plain" | "warn" | "bad" | "busy" | "undone";

/** A state's form. Always stands beside its word; screen readers hear the word only. */
export function Glyph({ name, tone = "quiet", size = 14 }: { name: GlyphName; tone?: Tone; size?: number }) {
  return (
    <svg className={`${styles.glyph} ${styles[tone]}`} width={size} height={size} viewBox="0 0 14 14" aria-hidden="true">
      {shapes[name]}
    </svg>
  );
}
