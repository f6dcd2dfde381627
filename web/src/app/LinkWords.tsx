import { useEffect, useState } from "react";
import type { Cluster } from "../api/model";
import type { LinkState } from "../live/linkState";
import { Glyph, type GlyphName, type Tone } from "../parts/Glyph";
import { hourAndMinute } from "../words/time";
import styles from "./LinkWords.module.css";
import { words } from "./words";

/** The live link in words. Amber only after 3 s: a short cut is nobody's business. */
export function LinkWords({ link, clusters }: { link: LinkState; clusters: readonly Cluster[] | null }) {
  const now = useSecondsWhile(link.kind === "lost");
  if (link.kind === "lost" && now - link.since > 3000) {
    const seconds = Math.ceil((link.nextTry - now) / 1000);
    return (
      <span className={`${styles.link} ${styles.lost}`} role="status">
        <Glyph name="attention" tone="warn" />
        <span className={styles.text}>
          {words.linkLost}, {words.dataFrom(hourAndMinute(new Date(link.since).toISOString()))}, {seconds > 0 ? words.nextTry(seconds) : words.trying}
        </span>
      </span>
    );
  }
  if (link.kind === "connecting" || clusters === null) return <Words glyph="waiting" tone="quiet" text={words.connecting} />;
  if (clusters.length === 0) return <Words glyph="waiting" tone="quiet" text={words.noCluster} />;
  const answering = clusters.filter((cluster) => cluster.status === "active").length;
  const text = words.live(words.clustersAnswer(answering, clusters.length));
  return answering === clusters.length ? <Words glyph="running" tone="good" text={text} /> : <Words glyph="attention" tone="warn" text={text} />;
}

function Words({ glyph, tone, text }: { glyph: GlyphName; tone: Tone; text: string }) {
  return (
    <span className={styles.link} title={text}>
      <Glyph name={glyph} tone={tone} />
      <span className={styles.text}>{text}</span>
    </span>
  );
}

function useSecondsWhile(active: boolean): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!active) return;
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, [active]);
  return now;
}
