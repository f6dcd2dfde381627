import { Check as CheckIcon, Minus } from "lucide-react";
import type { ReactNode } from "react";
import { Checkbox } from "react-aria-components/Checkbox";
import styles from "./Check.module.css";

/** A checkbox with its words. */
export function Check({ checked, onChange, children }: { checked: boolean; onChange: (checked: boolean) => void; children: ReactNode }) {
  return (
    <Checkbox className={styles.check} isSelected={checked} onChange={onChange}>
      <Box state={checked ? "all" : "none"} />
      <span>{children}</span>
    </Checkbox>
  );
}

/** The drawn box alone, for rows whose own role says whether they are selected. */
export function Box({ state }: { state: "all" | "some" | "none" }) {
  return (
    <span className={`${styles.box} ${state === "none" ? "" : styles.on}`} aria-hidden="true">
      {state === "all" && <CheckIcon size={12} strokeWidth={3} />}
      {state === "some" && <Minus size={12} strokeWidth={3} />}
    </span>
  );
}
