import type { ReactNode, RefObject } from "react";
import { Menu as AriaMenu, MenuItem, MenuSection } from "react-aria-components/Menu";
import { Header } from "react-aria-components/Header";
import { Popover } from "react-aria-components/Popover";
import { Text } from "react-aria-components/Text";
import styles from "./Menu.module.css";

export interface MenuEntry {
  readonly id: string;
  readonly label: string;
  readonly icon?: ReactNode;
  readonly keys?: string;
  /** Why it is not possible now; the entry stays reachable and shows this. */
  readonly reason?: string | null;
  readonly run: () => void;
}

/** A list of actions. Used inside a `MenuTrigger` and by `MenuAt`. */
export function Menu({ title, entries }: { title: string; entries: readonly MenuEntry[] }) {
  return (
    <AriaMenu className={styles.menu} aria-label={title}>
      <MenuSection>
        <Header className={styles.title}>{title}</Header>
        {entries.map((entry) => (
          <MenuItem
            key={entry.id}
            id={entry.id}
            textValue={entry.label}
            className={`${styles.item} ${entry.reason ? styles.off : ""}`}
            shouldCloseOnSelect={!entry.reason}
            onAction={entry.reason ? undefined : entry.run}
          >
            <span className={styles.icon}>{entry.icon}</span>
            <span className={styles.text}>
              <Text slot="label">{entry.label}</Text>
              {entry.reason && (
                <Text slot="description" className={styles.reason}>
                  {entry.reason}
                </Text>
              )}
            </span>
            {entry.keys && <kbd className={styles.keys}>{entry.keys}</kbd>}
          </MenuItem>
        ))}
      </MenuSection>
    </AriaMenu>
  );
}

/** A menu at an element, opened by a right click, a key or the row's own button. */
export function MenuAt({ anchor, title, entries, onClose }: { anchor: RefObject<Element | null>; title: string; entries: readonly MenuEntry[]; onClose: () => void }) {
  return (
    <Popover className={styles.popover} aria-label={title} triggerRef={anchor} isOpen onOpenChange={(open) => !open && onClose()} placement="bottom start" offset={2}>
      <Menu title={title} entries={entries.map((entry) => ({ ...entry, run: () => { onClose(); entry.run(); } }))} />
    </Popover>
  );
}

/** The floating surface of menus that have their own trigger. */
export function MenuPopover({ children }: { children: ReactNode }) {
  return (
    <Popover className={styles.popover} placement="bottom end" offset={4}>
      {children}
    </Popover>
  );
}
