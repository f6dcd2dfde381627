import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { X } from "lucide-react";
import { useDeferredValue, useEffect, useRef } from "react";
import { asCurl, send } from "../api/call";
import type { Bulk, Guest } from "../api/model";
import { type BulkAction, bulkActions } from "../guests/actions";
import { Button } from "../parts/Button";
import { CopyButton } from "../parts/CopyButton";
import { Glyph } from "../parts/Glyph";
import { words as partWords } from "../parts/words";
import { listed } from "../words/plural";
import styles from "./BulkBar.module.css";

interface Props {
  guests: readonly Guest[];
  busy: string | null;
  onRun: (name: string, guests: readonly string[]) => void;
  onClear: () => void;
  /** The action that a key asked for: its button takes the focus, so that the next key can run it. */
  aimed: { readonly name: string } | null;
}

/** What can be done with the selected guests, and before anything is done: for which of them, and why not for the others. */
export function BulkBar({ guests, busy, onRun, onClear, aimed }: Props) {
  const bar = useRef<HTMLElement>(null);
  useEffect(() => {
    if (aimed) bar.current?.querySelector<HTMLElement>(`[data-action="${aimed.name}"] button`)?.focus();
  }, [aimed]);
  const ids = useDeferredValue(guests.map((guest) => guest.id).toSorted());
  const [scan, install] = [usePreview(bulkActions[0]!, ids), usePreview(bulkActions[1]!, ids)];
  const primary = (install.data?.accepted ?? 0) > 0 ? "install_agent" : "scan";
  const nodes = [...new Set(guests.map((guest) => guest.node))];
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- Escape leaves one layer, wherever the focus is in it
    <section ref={bar} className={styles.bar} aria-label="Selected guests" onKeyDown={(event) => event.key === "Escape" && onClear()}>
      <div className={styles.first}>
        <strong>{guests.length === 1 ? guests[0]!.name : `${guests.length} guests selected`}</strong>
        <span className={styles.where}>on {listed(nodes, 2)}</span>
        <div className={styles.actions}>
          {[scan, install].map(({ action, data, error }) => (
            <span key={action.name} data-action={action.name}>
              <Button
                look={primary === action.name ? "primary" : "plain"}
                icon={action.icon}
                keys={action.letter.toUpperCase()}
                busy={busy === action.name || (!data && !error)}
                reason={error ? error.message : data && data.accepted === 0 ? data.whyNone : null}
                onPress={() => onRun(action.name, ids)}
              >
                {action.labelFor(data?.accepted ?? ids.length, ids.length)}
              </Button>
            </span>
          ))}
          <CopyButton text={asCurl((primary === "scan" ? scan : install).action.call(ids))} label={partWords.copyAsApiCall} iconOnly />
          <Button look="ghost" iconOnly icon={<X size={15} aria-hidden />} onPress={onClear}>
            Clear the selection
          </Button>
        </div>
      </div>
      <div className={styles.preview}>
        {[scan, install].map(({ action, data, isPending, error }) => (
          <span key={action.name} className={styles.fact}>
            {isPending ? `${action.label}: asking which guests it is possible for…` : error ? `${action.label}: ${error.message}` : data && <PreviewWords action={action} preview={data} selected={guests.length} />}
          </span>
        ))}
      </div>
    </section>
  );
}

interface Preview {
  readonly accepted: number;
  readonly skipped: readonly { readonly why: string; readonly names: readonly string[] }[];
  readonly whyNone: string;
}

function usePreview(action: BulkAction, ids: readonly string[]) {
  const { data, error, isPending } = useQuery({
    queryKey: ["preview", action.name, ids],
    queryFn: async ({ signal }) => asPreview(await send(action.call(ids, true), signal)),
    gcTime: 10_000,
    staleTime: 5_000,
    placeholderData: keepPreviousData,
  });
  return { action, data, error, isPending };
}

function asPreview({ targets }: Bulk): Preview {
  const skipped = new Map<string, string[]>();
  for (const { guest, decision, reason } of targets) {
    if (decision === "accepted") continue;
    const why = reason?.detail ?? "Not possible.";
    skipped.set(why, [...(skipped.get(why) ?? []), guest.name]);
  }
  const reasons = [...skipped].map(([why, names]) => ({ why, names }));
  return { accepted: targets.filter((target) => target.decision === "accepted").length, skipped: reasons, whyNone: reasons[0]?.why ?? "No guest is selected." };
}

function PreviewWords({ action, preview, selected }: { action: BulkAction; preview: Preview; selected: number }) {
  if (preview.skipped.length === 0) {
    return (
      <>
        <Glyph name="running" tone="good" />
        {action.label}: possible{selected > 1 && " for all"}
      </>
    );
  }
  if (preview.accepted === 0 && preview.skipped.length === 1) {
    return (
      <>
        <Glyph name="skipped" tone="quiet" />
        {action.label}: {lowerFirst(preview.whyNone)}
      </>
    );
  }
  return (
    <>
      <Glyph name="skipped" tone="quiet" />
      <span>
        {action.label} leaves out {preview.skipped.map(({ why, names }) => `${listed(names, 2)}: ${lowerFirst(why)}`).join(" ")}
      </span>
    </>
  );
}

const lowerFirst = (text: string) => (/^[A-Z][a-z]/.test(text) ? text[0]!.toLowerCase() + text.slice(1) : text);
