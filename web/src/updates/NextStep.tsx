import { useNavigate } from "@tanstack/react-router";
import { Download, RefreshCw } from "lucide-react";
import type { ReactNode } from "react";
import { Button } from "../parts/Button";
import { Glyph } from "../parts/Glyph";
import type { UpdateSummary } from "./summary";
import styles from "./UpdatesPage.module.css";
import { words } from "./words";

interface Props {
  summary: UpdateSummary;
  scannable: readonly string[];
  installable: readonly string[];
  busy: string | null;
  onRun: (name: string, guests: readonly string[]) => void;
}

/** What to do next, at most two things: look at security first, then learn what is not known. */
export function NextStep({ summary, scannable, installable, busy, onRun }: Props) {
  const navigate = useNavigate();
  const unknown = new Set([...summary.never, ...summary.stale, ...summary.failed].map((guest) => guest.id));
  const toScan = scannable.filter((id) => unknown.has(id));
  const steps: ReactNode[] = [];
  if (summary.security.length > 0) {
    steps.push(
      <Card
        key="security"
        icon={<Glyph name="shield" tone="warn" />}
        title={words.reviewSecurity(summary.security.length)}
        text={words.reviewSecurityText}
        action={
          <Button look="primary" onPress={() => void navigate({ to: "/fleet", search: { show: "security" } })}>
            {words.openSecurity}
          </Button>
        }
      />,
    );
  }
  if (toScan.length > 0) {
    steps.push(
      <Card
        key="scan"
        icon={<RefreshCw size={15} aria-hidden />}
        title={words.scanNext(toScan.length)}
        text={words.scanNextText}
        action={
          <Button look={steps.length === 0 ? "primary" : "plain"} busy={busy === "scan"} onPress={() => onRun("scan", toScan)}>
            Scan {toScan.length}
          </Button>
        }
      />,
    );
  }
  if (installable.length > 0) {
    steps.push(
      <Card
        key="install"
        icon={<Download size={15} aria-hidden />}
        title={words.installNext(installable.length)}
        text={words.installNextText}
        action={<Button look={steps.length === 0 ? "primary" : "plain"} onPress={() => void navigate({ to: "/fleet", search: { show: "no-agent" } })}>Choose guests</Button>}
      />,
    );
  }
  if (steps.length === 0) return null;
  return (
    <section className={styles.cards} aria-label={words.next}>
      {steps.slice(0, 2)}
    </section>
  );
}

function Card({ icon, title, text, action }: { icon: ReactNode; title: string; text: string; action: ReactNode }) {
  return (
    <div className={styles.card}>
      {icon}
      <div className={styles.cardText}>
        <h2>{title}</h2>
        <p>{text}</p>
      </div>
      {action}
    </div>
  );
}
