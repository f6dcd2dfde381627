import { useNavigate } from "@tanstack/react-router";
import { Download, RefreshCw } from "lucide-react";
import type { ReactNode } from "react";
import type { Guest } from "../api/model";
import { Button } from "../parts/Button";
import { Glyph } from "../parts/Glyph";
import { nextStep, type UpdateSummary } from "./summary";
import styles from "./UpdatesPage.module.css";
import { words } from "./words";

interface Props {
  summary: UpdateSummary;
  guests: readonly Guest[];
  busy: string | null;
  onRun: (name: string, guests: readonly string[]) => void;
}

/** The one thing to do next. Everything else is in the tables and under "Needs you". */
export function NextStep({ summary, guests, busy, onRun }: Props) {
  const navigate = useNavigate();
  const step = nextStep(summary, guests);
  if (step === null) return null;
  const amount = step.guests.length;
  const look = {
    security: {
      icon: <Glyph name="shield" tone="warn" />,
      title: words.reviewSecurity(amount),
      text: words.reviewSecurityText,
      label: words.openSecurity,
      press: () => void navigate({ to: "/fleet", search: { show: "security" } }),
    },
    scan: { icon: <RefreshCw size={15} aria-hidden />, title: words.scanNext(amount), text: words.scanNextText, label: words.scanDo(amount), press: () => onRun("scan", step.guests) },
    install: {
      icon: <Download size={15} aria-hidden />,
      title: words.installNext(amount),
      text: words.installNextText,
      label: words.installDo,
      press: () => void navigate({ to: "/fleet", search: { show: "no-agent", select: "all" } }),
    },
  }[step.kind];
  return (
    <section className={styles.next} aria-label={words.next}>
      {look.icon}
      <div className={styles.nextText}>
        <h2>{look.title}</h2>
        <p>{look.text}</p>
      </div>
      <NextButton label={look.label} busy={step.kind === "scan" && busy === "scan"} onPress={look.press} />
    </section>
  );
}

function NextButton({ label, busy, onPress }: { label: ReactNode; busy: boolean; onPress: () => void }) {
  return (
    <Button look="primary" busy={busy} onPress={onPress}>
      {label}
    </Button>
  );
}
