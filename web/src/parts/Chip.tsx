import type { ReactNode } from "react";
import styles from "./Chip.module.css";

export type ChipLook = "plain" | "quiet" | "amber" | "red" | "blue" | "green" | "dashed";

/** A short fact in a frame. Coloured only where the state deviates. */
export function Chip({ look = "plain", children }: { look?: ChipLook; children: ReactNode }) {
  return <span className={`${styles.chip} ${styles[look]}`}>{children}</span>;
}
