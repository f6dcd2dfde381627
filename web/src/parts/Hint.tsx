import type { ReactElement, ReactNode } from "react";
import { Tooltip, TooltipTrigger } from "react-aria-components/Tooltip";
import styles from "./Hint.module.css";

/** A few words beside a control, on hover and on keyboard focus; null for none. Never the only place of something important. */
export function Hint({ text, trigger, children }: { text: ReactNode; trigger: ReactElement; children?: ReactNode }) {
  return (
    <>
      <TooltipTrigger delay={400} isDisabled={text === null}>
        {trigger}
        <Tooltip className={styles.hint} offset={6}>
          {text}
        </Tooltip>
      </TooltipTrigger>
      {children}
    </>
  );
}
