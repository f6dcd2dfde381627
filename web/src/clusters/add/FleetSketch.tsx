import { Box, Layers, Monitor, Server } from "lucide-react";
import type { Tick } from "../../api/model";
import { RollCall } from "../../parts/RollCall";
import styles from "./FleetSketch.module.css";
import { words } from "./words";

const call = (states: readonly Tick[]) => states.map((tick, index) => ({ id: String(index), tick }));
const whole = call(["updates", "up_to_date", "security", "up_to_date", "off", "updates", "up_to_date", "updates", "security", "unknown", "updates", "up_to_date", "up_to_date"]);
const lines = [
  { icon: Layers, depth: 0, wide: 2 },
  { icon: Server, depth: 1, wide: 0 },
  { icon: Box, depth: 2, wide: 2 },
  { icon: Box, depth: 2, wide: 1 },
  { icon: Monitor, depth: 2, wide: 1 },
  { icon: Server, depth: 1, wide: 0 },
  { icon: Box, depth: 2, wide: 1 },
] as const;

/** What the empty page will look like, drawn without words, and what happens next. */
export function FleetSketch() {
  return (
    <aside className={styles.side}>
      <div className={styles.sketch} aria-hidden="true">
        <RollCall ticks={whole} label="" />
        {lines.map(({ icon: Icon, depth, wide }, index) => (
          <div key={index} className={`${styles.line} ${styles[`depth${depth}`]}`}>
            <Icon size={15} strokeWidth={1.75} />
            <span className={`${styles.bar} ${styles[`wide${wide}`]}`} />
          </div>
        ))}
      </div>
      <ol className={styles.steps}>
        {words.firstSteps.map((step) => (
          <li key={step}>{step}</li>
        ))}
      </ol>
    </aside>
  );
}
