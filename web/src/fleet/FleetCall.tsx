import { useMemo } from "react";
import { type CallTick, RollCall, tally, TickSample } from "../parts/RollCall";
import { tickWord } from "../parts/words";
import { number } from "../words/plural";
import styles from "./FleetCall.module.css";
import { guestsByNode } from "./tree";
import { type Fleet, totalGuests } from "./useFleet";
import { words } from "./words";

/** Above this many ticks a strip per node would not fit; one bar per cluster takes its place. */
const mostTicks = 400;

/** Above this many clusters their bars would push the guests out of sight; one bar for all of them takes their place. */
const mostBars = 8;

/** The roll call of everything: one tick per guest, in the order of clusters and nodes. */
export function FleetCall({ fleet, onPick }: { fleet: Fleet; onPick?: (guest: string) => void }) {
  const groups = useMemo(() => callGroups(fleet), [fleet]);
  const amounts = useMemo(() => tally([], totals(fleet.clusters)), [fleet.clusters]);
  if (amounts.length === 0) return null;
  return (
    <div className={styles.strip}>
      <div className={styles.groups}>
        {groups.map((group) => (
          <div key={group.id} className={styles.group}>
            <RollCall ticks={group.ticks} marks={group.marks} label={group.name} onPick={onPick} />
            <span className={styles.name}>
              <b className={styles.node}>{group.name}</b>, {words.guests(group.guests)}
            </span>
          </div>
        ))}
      </div>
      <Legend amounts={amounts} />
    </div>
  );
}

/** How many guests are in each state, with the form that stands for it. */
function Legend({ amounts }: { amounts: ReturnType<typeof tally> }) {
  return (
    <ul className={styles.legend}>
      {amounts.map(([tick, amount]) => (
        <li key={tick}>
          <TickSample tick={tick} />
          {tickWord[tick]} {number(amount)}
        </li>
      ))}
    </ul>
  );
}

interface Group {
  readonly id: string;
  readonly name: string;
  readonly guests: number;
  readonly ticks: readonly CallTick[];
  readonly marks?: Readonly<Record<string, number>>;
}

/** The marks of all clusters together. */
function totals(clusters: Fleet["clusters"]): Readonly<Record<string, number>> {
  const sums: Record<string, number> = {};
  for (const { rollup } of clusters) for (const [mark, amount] of Object.entries(rollup.marks)) sums[mark] = (sums[mark] ?? 0) + amount;
  return sums;
}

function callGroups({ clusters, trees }: Fleet): readonly Group[] {
  const total = totalGuests(clusters);
  if (clusters.length > mostBars) return [{ id: "all", name: words.clusters(clusters.length), guests: total, ticks: [], marks: totals(clusters) }];
  if (total > mostTicks || clusters.some((cluster) => !trees.has(cluster.id))) {
    return clusters.map(({ id, name, rollup }) => ({ id, name, guests: rollup.guests, ticks: [], marks: rollup.marks }));
  }
  return clusters.flatMap((cluster) => {
    const tree = trees.get(cluster.id);
    if (!tree) return [];
    const guests = guestsByNode(tree);
    return tree.nodes
      .map((node) => {
        const ticks = (guests.get(node.name) ?? []).map(({ id, tick, name }) => ({ id, tick, name }));
        return { id: node.id, name: node.name, guests: ticks.length, ticks };
      })
      .filter((group) => group.ticks.length > 0);
  });
}
