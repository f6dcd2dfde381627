import { useMemo } from "react";
import type { Tick } from "../api/model";
import { count } from "../words/plural";
import styles from "./RollCall.module.css";
import { tickOrder, tickWord } from "./words";

export interface CallTick {
  readonly id: string;
  readonly tick: Tick;
  readonly name?: string;
}

/** Counts by state, for groups that are too large for single ticks. */
type Marks = Readonly<Record<string, number>>;
type Amounts = readonly (readonly [Tick, number])[];

const sizes = { row: { width: 4, gap: 2, height: 14 }, page: { width: 9, gap: 4, height: 32 } } as const;
type Size = keyof typeof sizes;

/** Where a tick's rectangles stand, in 32nds of the height: [from top, height]. */
const forms: Record<Tick, { bars: readonly (readonly [number, number])[]; hollow?: boolean }> = {
  up_to_date: { bars: [[25, 7]] },
  updates: { bars: [[14, 18]] },
  security: { bars: [[0, 32]] },
  running: { bars: [[6, 26]], hollow: true },
  waiting: { bars: [[14, 18]], hollow: true },
  failed: { bars: [[0, 22], [26, 6]] },
  rolled_back: { bars: [[0, 6], [10, 22]] },
  needs_attention: { bars: [[0, 32]], hollow: true },
  unknown: { bars: [[0, 3], [7, 3], [14, 3], [21, 3], [28, 4]] },
  off: { bars: [[30, 2]] },
};

/** Above this many guests single ticks are too thin to read; one stacked bar takes their place. */
const mostTicks = 120;

/**
 * One tick per guest, in the order of the node; height and form say the state, colour only supports it.
 * One SVG with a sentence for screen readers.
 */
export function RollCall({ ticks, marks, label, size = "page", onPick }: { ticks: readonly CallTick[]; marks?: Marks; label: string; size?: Size; onPick?: (id: string) => void }) {
  const { width, gap, height } = sizes[size];
  const amounts = useMemo(() => tally(ticks, marks), [ticks, marks]);
  const sentence = `${label}: ${inWords(amounts)}`;
  if (ticks.length > mostTicks || (ticks.length === 0 && amounts.length > 0)) return <StackedCall amounts={amounts} sentence={sentence} height={height} width={size === "page" ? 132 : 90} />;
  const total = Math.max(width, ticks.length * (width + gap) - gap);
  return (
    // oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/no-noninteractive-element-interactions -- a short way for the mouse; the rows below have the keyboard's
    <svg className={styles.call} width={total} height={height} viewBox={`0 0 ${total} ${height}`} role="img" aria-label={sentence} onClick={onPick && ((event) => pick(event.target, onPick))}>
      {ticks.map((tick, index) => (
        <TickForm key={tick.id} tick={tick} x={index * (width + gap)} width={width} height={height} />
      ))}
    </svg>
  );
}

/** One tick alone, for legends. */
export function TickSample({ tick }: { tick: Tick }) {
  return (
    <svg className={styles.call} width={7} height={14} viewBox="0 0 7 14" aria-hidden="true">
      <TickForm tick={{ id: tick, tick }} x={0} width={7} height={14} />
    </svg>
  );
}

function TickForm({ tick: { id, tick, name }, x, width, height }: { tick: CallTick; x: number; width: number; height: number }) {
  const { bars, hollow } = forms[tick];
  const scale = height / 32;
  const line = width < 6 ? 1 : 1.5;
  return (
    <g className={styles[tick]} data-guest={id}>
      {name && <title>{`${name}: ${tickWord[tick]}`}</title>}
      {bars.map(([top, tall]) => {
        const barHeight = Math.max(tick === "off" ? 2 : 1, tall * scale);
        const y = Math.min(top * scale, height - barHeight);
        return hollow ? (
          <rect key={top} x={x + line / 2} y={y + line / 2} width={width - line} height={barHeight - line} fill="none" stroke="currentColor" strokeWidth={line} />
        ) : (
          <rect key={top} x={x} y={y} width={width} height={barHeight} rx={width > 6 ? 1 : 0.5} fill="currentColor" />
        );
      })}
      {tick === "running" && <rect x={x} y={height - 13 * scale} width={width} height={13 * scale} fill="currentColor" />}
      {/* The whole column answers to the pointer, not only the painted part. */}
      <rect x={x} y={0} width={width} height={height} fill="transparent" />
    </g>
  );
}

function StackedCall({ amounts, sentence, width, height }: { amounts: Amounts; sentence: string; width: number; height: number }) {
  const total = amounts.reduce((sum, [, amount]) => sum + amount, 0);
  const starts = amounts.map((_, index) => (amounts.slice(0, index).reduce((sum, [, amount]) => sum + amount, 0) / total) * width);
  return (
    <svg className={styles.call} width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={sentence}>
      {amounts.map(([tick, amount], index) => {
        const wide = Math.max(1, (amount / total) * width - 1);
        return (
          <g key={tick} className={styles[tick]}>
            <title>{`${tickWord[tick]}: ${amount}`}</title>
            {forms[tick].bars.map(([top, tall]) => (
              <rect key={top} x={starts[index]} y={(top * height) / 32} width={wide} height={(tall * height) / 32} fill="currentColor" />
            ))}
          </g>
        );
      })}
    </svg>
  );
}

/** How many guests are in each state that occurs, in the order in which states want attention. */
export function tally(ticks: readonly CallTick[], marks: Marks = {}): Amounts {
  const amounts: Record<string, number> = ticks.length > 0 ? {} : { ...marks };
  for (const { tick } of ticks) amounts[tick] = (amounts[tick] ?? 0) + 1;
  return tickOrder.map((tick) => [tick, amounts[tick] ?? 0] as const).filter(([, amount]) => amount > 0);
}

function inWords(amounts: Amounts): string {
  return amounts.length === 0 ? count(0, "guest", "guests") : amounts.map(([tick, amount]) => `${amount} ${tickWord[tick]}`).join(", ");
}

function pick(target: EventTarget, onPick: (id: string) => void): void {
  const id = target instanceof Element ? target.closest("[data-guest]")?.getAttribute("data-guest") : null;
  if (id) onPick(id);
}
