import { useNavigate } from "@tanstack/react-router";
import { Search } from "lucide-react";
import { useId, useMemo, useState } from "react";
import { Dialog as AriaDialog } from "react-aria-components/Dialog";
import { Modal, ModalOverlay } from "react-aria-components/Modal";
import { useFleet } from "../fleet/useFleet";
import { useGuestAction } from "../guests/useGuestAction";
import { type Entry, findEntries } from "./entries";
import styles from "./Palette.module.css";
import { words } from "./words";

/** Everything by its name: guests, nodes, clusters, pages and what can be done with a guest. */
export function Palette({ onClose }: { onClose: () => void }) {
  const fleet = useFleet("all");
  const navigate = useNavigate();
  const { run, dialog } = useGuestAction();
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(0);
  const [ran, setRan] = useState(false);
  const listId = useId();
  const entries = useMemo(() => findEntries(typed, fleet), [typed, fleet]);
  const current = Math.min(at, entries.length - 1);

  const take = (entry: Entry | undefined) => {
    if (!entry) return;
    if (entry.goes) {
      void navigate({ to: entry.goes });
      onClose();
    } else if (entry.does) {
      setRan(true);
      run(entry.does.action, entry.does.guest);
    }
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && entries.length > 0) {
      event.preventDefault();
      setAt((current + step + entries.length) % entries.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      take(entries[current]);
    }
  };
  if (ran) return dialog;
  return (
    <ModalOverlay className={styles.scrim} isOpen isDismissable onOpenChange={(open) => !open && onClose()}>
      <Modal className={styles.modal}>
        <AriaDialog className={styles.dialog} aria-label={words.title}>
          <div className={styles.field}>
            <Search size={15} aria-hidden />
            <input
              className={styles.input}
              role="combobox"
              aria-expanded="true"
              aria-controls={listId}
              aria-activedescendant={entries[current] ? `${listId}-${current}` : undefined}
              aria-label={words.title}
              placeholder={words.placeholder}
              value={typed}
              onChange={(event) => {
                setTyped(event.target.value);
                setAt(0);
              }}
              onKeyDown={onKeyDown}
              autoFocus
              spellCheck={false}
            />
          </div>
          <div id={listId} role="listbox" aria-label={words.results} className={styles.list}>
            {entries.map((entry, index) => (
              // oxlint-disable-next-line jsx-a11y/click-events-have-key-events -- the field above has the keyboard
              <div key={entry.id} id={`${listId}-${index}`} role="option" tabIndex={-1} aria-selected={index === current} className={styles.entry} onClick={() => take(entry)} onPointerMove={() => setAt(index)}>
                <span className={styles.name}>{entry.name}</span>
                <span className={styles.detail}>{entry.detail}</span>
              </div>
            ))}
          </div>
          {entries.length === 0 && <p className={styles.nothing}>{words.nothing}</p>}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}
