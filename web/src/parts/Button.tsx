import type { ReactNode, Ref } from "react";
import { useId } from "react";
import { Button as AriaButton } from "react-aria-components/Button";
import styles from "./Button.module.css";
import { Glyph } from "./Glyph";
import { Hint } from "./Hint";

type Look = "plain" | "primary" | "ghost" | "danger";

interface Props {
  children: ReactNode;
  look?: Look;
  size?: "normal" | "small";
  icon?: ReactNode;
  /** Only the icon is drawn; the children are its name for screen readers and the tooltip. */
  iconOnly?: boolean;
  /** Why it cannot be pressed now. The button stays focusable and says so. */
  reason?: string | null;
  busy?: boolean;
  keys?: string;
  type?: "button" | "submit";
  slot?: string;
  autoFocus?: boolean;
  onPress?: () => void;
  ref?: Ref<HTMLButtonElement>;
}

/** A button. One that is not possible now is dashed and carries its reason instead of being dead. */
export function Button({ children, look = "plain", size = "normal", icon, iconOnly, reason, busy, keys, onPress, ref, ...rest }: Props) {
  const reasonId = useId();
  const classes = [styles.button, styles[look], size === "small" && styles.small, iconOnly && styles.iconOnly, reason && styles.off].filter(Boolean).join(" ");
  const button = (
    <AriaButton
      {...rest}
      ref={ref}
      className={classes}
      isPending={busy}
      onPress={reason ? undefined : onPress}
      type={reason ? "button" : rest.type}
      aria-disabled={reason ? true : undefined}
      aria-describedby={reason ? reasonId : undefined}
      aria-label={iconOnly && typeof children === "string" ? children : undefined}
    >
      {busy ? <Glyph name="working" tone="busy" /> : icon}
      {!iconOnly && children}
      {keys && <kbd className={styles.keys}>{keys}</kbd>}
    </AriaButton>
  );
  // The same frame with and without a reason: a button that becomes possible keeps the focus.
  return (
    <Hint text={reason ?? (iconOnly ? children : null)} trigger={button}>
      {reason && (
        <span id={reasonId} hidden>
          {reason}
        </span>
      )}
    </Hint>
  );
}
