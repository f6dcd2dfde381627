import type { Guest, Way } from "../api/model";
import { Button } from "../parts/Button";
import { Glyph, type GlyphName, type Tone } from "../parts/Glyph";
import { ProblemNote } from "../parts/ProblemNote";
import { Skeleton } from "../parts/Skeleton";
import { guestActionWords } from "./actions";
import styles from "./ReachPanel.module.css";
import { useGuestAction } from "./useGuestAction";
import { pageWords as words } from "./words";

const looks: Record<Way["state"], [GlyphName, Tone]> = { ready: ["running", "good"], untried: ["waiting", "quiet"], needs: ["step", "warn"], impossible: ["impossible", "quiet"] };

/** All ways in, in the order in which they are tried, each with its reason. */
export function ReachPanel({ guest, error, onRetry }: { guest: Guest; error: unknown; onRetry: () => void }) {
  const { run, busy, dialog } = useGuestAction();
  const { ways, best, needs_step, label } = guest.reach;
  return (
    <section>
      <header className={styles.head}>
        <h2>
          {words.reach} <span className={styles.lead}>{words.reachLead}</span>
        </h2>
        <p className={styles.sentence}>{needs_step ?? (best ? words.goesInBy(label) : label)}</p>
      </header>
      {error ? <div className={styles.pad}><ProblemNote error={error} onRetry={onRetry} /></div> : null}
      {!ways && !error && <Skeleton rows={8} what={words.reach} />}
      <ol>
        {(ways ?? []).map((way, index) => {
          const [glyph, tone] = looks[way.state];
          const inUse = way.transport === best;
          return (
            <li key={way.transport} className={`${styles.way} ${inUse ? styles.inUse : ""}`}>
              <span className={styles.number}>{index + 1}</span>
              <Glyph name={glyph} tone={tone} />
              <div className={styles.text}>
                <span className={styles.name}>
                  <span className={styles.label}>{way.label}</span>
                  {inUse && <span className={styles.used}>{words.inUse}</span>}
                </span>
                <span className={styles.reason}>{way.reason}</span>
              </div>
              <WayAction guest={guest} way={way} busy={busy} onRun={(name) => run(name, guest)} />
            </li>
          );
        })}
      </ol>
      {dialog}
    </section>
  );
}

function WayAction({ guest, way, busy, onRun }: { guest: Guest; way: Way; busy: string | null; onRun: (name: string) => void }) {
  const action = guest.actions.find((each) => each.name === way.action);
  const known = action && guestActionWords[action.name];
  if (!action || !known) return null;
  return (
    <Button size="small" busy={busy === action.name} reason={action.allowed ? null : (action.reason ?? "Not possible now.")} onPress={() => onRun(action.name)}>
      {way.transport === "by_hand" ? words.byHand : known.label}
    </Button>
  );
}
