import type { ReactNode } from "react";
import { Radio, RadioGroup } from "react-aria-components/RadioGroup";
import styles from "./Choice.module.css";

interface Option<T extends string> {
  readonly value: T;
  readonly label: ReactNode;
}

/** One of a few, all visible side by side. */
export function Choice<T extends string>({ label, value, options, onChange, hideLabel = true }: { label: string; value: T; options: readonly Option<T>[]; onChange: (value: T) => void; hideLabel?: boolean }) {
  return (
    <RadioGroup className={styles.group} value={value} onChange={(next) => onChange(next as T)} orientation="horizontal" aria-label={hideLabel ? label : undefined}>
      {!hideLabel && <span className={styles.label}>{label}</span>}
      <div className={styles.row}>
        {options.map((option) => (
          <Radio key={option.value} value={option.value} className={styles.option}>
            {option.label}
          </Radio>
        ))}
      </div>
    </RadioGroup>
  );
}
