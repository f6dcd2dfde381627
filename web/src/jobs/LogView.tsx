import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDownToLine, Download } from "lucide-react";
import { useEffect, useMemo, useRef, useState } from "react";
import type { Job, JobTarget, LogLine } from "../api/model";
import { Button } from "../parts/Button";
import { CopyButton } from "../parts/CopyButton";
import { Note } from "../parts/Note";
import { clockTime } from "../words/time";
import styles from "./LogView.module.css";
import { useLogLines } from "./logLines";
import { words } from "./words";

/** The log of a job or of one of its targets. It follows until the reader scrolls up. */
export function LogView({ job, target, onAll }: { job: Job; target: JobTarget | null; onAll: () => void }) {
  const { lines, omitted, retryIn } = useLogLines(job);
  const [needle, setNeedle] = useState("");
  const shown = useMemo(() => {
    const wanted = needle.toLowerCase();
    return lines.filter((line) => (!target || line.target === target.id || line.target === target.name || line.target === target.guest?.id) && (!wanted || line.text.toLowerCase().includes(wanted)));
  }, [lines, target, needle]);
  const text = useMemo(() => shown.map((line) => `${line.at} ${line.text}`).join("\n"), [shown]);
  const { scroller, virtualizer, following, follow } = useFollow(shown);
  return (
    <section className={styles.view} aria-label={words.log}>
      <header className={styles.head}>
        <h2>{target ? words.logOf(target.name) : words.log}</h2>
        {target && (
          <Button look="ghost" size="small" onPress={onAll}>
            {words.allLog}
          </Button>
        )}
        <input className={styles.find} value={needle} onChange={(event) => setNeedle(event.target.value)} placeholder={words.findInLog} aria-label={words.findInLog} />
        <Button size="small" look={following ? "plain" : "primary"} icon={<ArrowDownToLine size={14} aria-hidden />} onPress={follow}>
          {following ? words.following : words.follow}
        </Button>
        <CopyButton text={text} iconOnly />
        <Button look="ghost" size="small" iconOnly icon={<Download size={14} aria-hidden />} onPress={() => save(`muster-job-${job.id}.log`, text)}>
          {words.download}
        </Button>
      </header>
      {retryIn !== null && <Note kind="warn">{words.logLost(retryIn)}</Note>}
      <div ref={scroller} className={styles.log} role="log" aria-live="off" tabIndex={0} aria-label={words.log}>
        {omitted > 0 && <p className={styles.omitted}>{words.omitted(omitted)}</p>}
        {shown.length === 0 && <p className={styles.omitted}>{words.logEmpty}</p>}
        <div className={styles.lines} style={{ height: virtualizer.getTotalSize() }}>
          {virtualizer.getVirtualItems().map((item) => {
            const line = shown[item.index];
            return line && <Line key={item.key} line={line} index={item.index} start={item.start} measure={virtualizer.measureElement} />;
          })}
        </div>
      </div>
    </section>
  );
}

function Line({ line, index, start, measure }: { line: LogLine; index: number; start: number; measure: (element: Element | null) => void }) {
  return (
    <div ref={measure} data-index={index} className={`${styles.line} ${styles[line.level] ?? ""}`} style={{ transform: `translateY(${start}px)` }}>
      <time dateTime={line.at}>{clockTime(line.at)}</time>
      <span className={styles.text}>{withoutAnsi(line.text)}</span>
    </div>
  );
}

function useFollow(shown: readonly LogLine[]) {
  const scroller = useRef<HTMLDivElement>(null);
  const [following, setFollowing] = useState(true);
  const virtualizer = useVirtualizer({
    count: shown.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 18,
    getItemKey: (index) => shown[index]?.n ?? index,
    overscan: 30,
  });
  useEffect(() => {
    if (following && shown.length > 0) virtualizer.scrollToIndex(shown.length - 1, { align: "end" });
  }, [following, shown.length, virtualizer]);
  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    // Only the reader's own movement lets go: the wheel, a finger or a key, never new lines.
    const onIntent = (event: Event) => {
      if (event instanceof WheelEvent && event.deltaY >= 0) return;
      if (event instanceof KeyboardEvent && !["ArrowUp", "PageUp", "Home"].includes(event.key)) return;
      setFollowing(false);
    };
    const kinds = ["wheel", "touchmove", "keydown"] as const;
    for (const kind of kinds) element.addEventListener(kind, onIntent, { passive: true });
    return () => {
      for (const kind of kinds) element.removeEventListener(kind, onIntent);
    };
  }, []);
  return { scroller, virtualizer, following, follow: () => setFollowing(true) };
}

/** Colours of a terminal are not shown; what they coloured is. */
function withoutAnsi(text: string): string {
  // eslint-disable-next-line no-control-regex -- escape sequences begin with a control character
  return text.replaceAll(/\u001B\[[0-9;?]*[A-Za-z]/g, "");
}

function save(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
