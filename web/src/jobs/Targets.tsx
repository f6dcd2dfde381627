import { Link } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef } from "react";
import type { Job, JobTarget } from "../api/model";
import { Lasting } from "../parts/Ago";
import { Glyph } from "../parts/Glyph";
import { guestHref } from "../guests/href";
import { transportWord } from "../words/transport";
import { stepWord, targetLook } from "./looks";
import { words } from "./words";
import styles from "./Targets.module.css";

/** What wants attention stands first; within a state the order of the job stays. */
const order: readonly JobTarget["state"][] = ["failed", "waiting", "skipped", "running", "queued", "cancelled", "succeeded"];

/** What came of each target: state, step, and when it went wrong why and what to do. Nothing that failed is dropped. */
export function Targets({ targets, steps, chosen, onPick }: { targets: readonly JobTarget[]; steps: Job["steps"]; chosen: string | null; onPick: (id: string | null) => void }) {
  const scroller = useRef<HTMLDivElement>(null);
  const sorted = useMemo(() => targets.toSorted((a, b) => order.indexOf(a.state) - order.indexOf(b.state)), [targets]);
  const virtualizer = useVirtualizer({
    count: sorted.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => (sorted[index]?.reason ? 58 : 34),
    getItemKey: (index) => sorted[index]?.id ?? index,
    overscan: 10,
  });
  return (
    <div ref={scroller} className={styles.scroller} tabIndex={0} role="region" aria-label={words.targets}>
      <ul className={styles.list} style={{ height: virtualizer.getTotalSize() }}>
        {virtualizer.getVirtualItems().map((item) => {
          const target = sorted[item.index];
          return (
            target && (
              <li key={item.key} ref={virtualizer.measureElement} data-index={item.index} className={styles.item} style={{ transform: `translateY(${item.start}px)` }} aria-setsize={sorted.length} aria-posinset={item.index + 1}>
                <TargetRow target={target} steps={steps} chosen={target.id === chosen} onPick={() => onPick(target.id === chosen ? null : target.id)} />
              </li>
            )
          );
        })}
      </ul>
    </div>
  );
}

function TargetRow({ target, steps, chosen, onPick }: { target: JobTarget; steps: Job["steps"]; chosen: boolean; onPick: () => void }) {
  const look = targetLook(target.state);
  const href = target.guest && guestHref(target.guest.id);
  return (
    <div className={`${styles.row} ${chosen ? styles.chosen : ""}`}>
      <Glyph name={look.glyph} tone={look.tone} />
      <button type="button" className={styles.name} aria-pressed={chosen} onClick={onPick}>
        <span className={styles.strong}>{target.name}</span> {target.guest && <span className={styles.key}>{`${target.guest.vmid} on ${target.guest.node}`}</span>}
      </button>
      <span className={styles.way}>
        {target.transport && <span className={styles.by}>{transportWord(target.transport)}</span>}
        <Steps target={target} steps={steps} />
      </span>
      <span className={`${styles.result} ${styles[target.state] ?? ""}`}>{resultWords(target)}</span>
      <Took target={target} />
      {target.reason && (
        <p className={styles.reason}>
          {target.reason.detail}{" "}
          {href && (
            <Link {...href} className="link">
              {words.openGuest}
            </Link>
          )}
        </p>
      )}
    </div>
  );
}

/** How far an installation is: one mark per step. */
function Steps({ target: { state, step, transport }, steps }: { target: JobTarget; steps: Job["steps"] }) {
  const at = steps.findIndex((each) => each === step);
  if (at < 0 || transport === "by_hand") return null;
  const done = state === "succeeded" ? steps.length : at;
  return (
    <span className={styles.steps} role="img" aria-label={words.stepOf(Math.min(done + 1, steps.length), steps.length, stepWord(step ?? ""))}>
      {steps.map((each, index) => (
        <i key={each} className={index < done ? styles.stepDone : index === at ? (state === "failed" ? styles.stepFailed : styles.stepNow) : undefined} />
      ))}
    </span>
  );
}

function resultWords({ state, step, result, attempt }: JobTarget): string {
  if ((state === "running" || state === "waiting" || state === "failed") && step) return state === "failed" ? `${targetLook(state).word}: ${stepWord(step)}` : stepWord(step);
  const said = typeof result?.summary === "string" ? result.summary : targetLook(state).word;
  return attempt > 1 ? `${said}, attempt ${attempt}` : said;
}

function Took({ target: { started_at, finished_at } }: { target: JobTarget }) {
  if (!started_at) return <span />;
  return <span className={styles.key}><Lasting from={started_at} to={finished_at} /></span>;
}
