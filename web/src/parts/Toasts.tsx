import { X } from "lucide-react";
import { useEffect, useState } from "react";
import { Button } from "./Button";
import { Glyph } from "./Glyph";
import { closeToast, type Toast, useToasts } from "./toast";
import styles from "./Toasts.module.css";
import { words } from "./words";

/** The corner where toasts appear: one line and one action each, 6 s, longer while the pointer is over them. */
export function Toasts() {
  const toasts = useToasts();
  return (
    <section className={styles.toasts} aria-label="Messages">
      {toasts.map((each) => (
        <ToastCard key={each.id} toast={each} />
      ))}
    </section>
  );
}

function ToastCard({ toast }: { toast: Toast }) {
  const [held, setHeld] = useState(false);
  useEffect(() => {
    if (held || toast.kind === "bad") return;
    const timer = setTimeout(() => closeToast(toast.id), 6000);
    return () => clearTimeout(timer);
  }, [held, toast]);
  return (
    <div className={styles.toast} role={toast.kind === "bad" ? "alert" : "status"} onPointerEnter={() => setHeld(true)} onPointerLeave={() => setHeld(false)}>
      <span className={styles.glyph}>
        <Glyph name={toast.kind === "bad" ? "failed" : "succeeded"} tone={toast.kind === "bad" ? "bad" : "good"} />
      </span>
      <span className={styles.text}>{toast.text}</span>
      {toast.action && (
        <Button size="small" onPress={toast.action.run}>
          {toast.action.label}
        </Button>
      )}
      <Button look="ghost" size="small" iconOnly icon={<X size={14} aria-hidden />} onPress={() => closeToast(toast.id)}>
        {words.close}
      </Button>
    </div>
  );
}
