import { X } from "lucide-react";
import type { ReactNode } from "react";
import { Dialog as AriaDialog } from "react-aria-components/Dialog";
import { Heading } from "react-aria-components/Heading";
import { Modal, ModalOverlay } from "react-aria-components/Modal";
import { Button } from "./Button";
import styles from "./Dialog.module.css";
import { words } from "./words";

interface Props {
  title: ReactNode;
  children: ReactNode;
  /** Buttons; the one that acts stands last. */
  footer?: ReactNode;
  /** What stands left of the body, for a dialog with steps. */
  aside?: ReactNode;
  width?: "normal" | "wide";
  /** Something is typed or running: neither Esc nor a click beside it closes the dialog. */
  keep?: boolean;
  /** A dialog that Esc does not close needs another visible way out. */
  closeButton?: boolean;
  onClose: () => void;
}

/** One task over the page. Full height on phones. */
export function Dialog({ title, children, footer, aside, width = "normal", keep, closeButton, onClose }: Props) {
  return (
    <ModalOverlay className={styles.scrim} isOpen isDismissable={!keep} isKeyboardDismissDisabled={keep} onOpenChange={(open) => !open && onClose()}>
      <Modal className={`${styles.modal} ${styles[width]}`}>
        <AriaDialog className={`${styles.dialog} ${aside ? styles.withAside : ""}`}>
          {aside && <div className={styles.aside}>{aside}</div>}
          <div className={styles.main}>
            <div className={styles.body}>
              {closeButton && (
                <div className={styles.close}>
                  <Button look="ghost" iconOnly icon={<X size={16} aria-hidden />} onPress={onClose}>
                    {words.close}
                  </Button>
                </div>
              )}
              <Heading slot="title" level={2} className={styles.title}>
                {title}
              </Heading>
              {children}
            </div>
            {footer && <div className={styles.footer}>{footer}</div>}
          </div>
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}
