import { Funnel, X } from "lucide-react";
import { type RefObject, useId, useMemo } from "react";
import type { Cluster } from "../api/model";
import { Glyph } from "../parts/Glyph";
import { number } from "../words/plural";
import styles from "./FilterBar.module.css";
import { FilterSuggestions } from "./FilterSuggestions";
import { inShow, type Show, shows } from "./filter";
import type { ClusterTree } from "./tree";
import { allGuests } from "./useFleet";
import { words } from "./words";

interface Props {
  field: RefObject<HTMLInputElement | null>;
  query: string;
  show: Show;
  clusters: readonly Cluster[];
  guests: ReadonlyMap<string, ClusterTree>;
  onQuery: (query: string) => void;
  onShow: (show: Show) => void;
  /** The field is done with: the focus goes to the rows. */
  onLeave: () => void;
}

/** What narrows the fleet: free text and tokens, and the quick views with their counts. */
export function FilterBar({ field, query, show, clusters, guests, onQuery, onShow, onLeave }: Props) {
  const counts = useCounts(clusters, guests);
  const listId = useId();
  const onKeyDown = ({ key }: React.KeyboardEvent) => {
    if (key === "Escape") {
      if (query) onQuery("");
      else onLeave();
    }
    // While a token is typed the arrow chooses among its suggestions.
    if (key === "Enter" || (key === "ArrowDown" && !query.split(" ").at(-1)?.includes(":"))) onLeave();
  };
  return (
    <div className={styles.bar}>
      <div className={styles.field} role="search">
        <Funnel size={14} aria-hidden />
        <input
          ref={field}
          className={styles.input}
          value={query}
          aria-label={words.filter}
          placeholder={words.filterPlaceholder}
          list={listId}
          autoComplete="off"
          spellCheck={false}
          onChange={(event) => onQuery(event.target.value)}
          onKeyDown={onKeyDown}
        />
        {query && (
          <button type="button" className={styles.clear} aria-label={words.clearFilter} onClick={() => onQuery("")}>
            <X size={14} aria-hidden />
          </button>
        )}
        <FilterSuggestions id={listId} query={query} trees={guests} />
      </div>
      <div className={styles.shows} role="group" aria-label={words.view}>
        {shows.map((each) => (
          <button key={each} type="button" className={styles.show} aria-pressed={show === each} onClick={() => onShow(each)}>
            {each === "security" && <Glyph name="shield" tone="warn" size={12} />}
            {words.show[each]}
            <span className={styles.count}>{counts[each] === null ? "" : number(counts[each])}</span>
          </button>
        ))}
      </div>
    </div>
  );
}

/** Counts of the quick views: from the guests that are here, else from the server's sums. */
function useCounts(clusters: readonly Cluster[], trees: ReadonlyMap<string, ClusterTree>): Record<Show, number | null> {
  return useMemo(() => {
    const complete = clusters.every((cluster) => trees.has(cluster.id));
    if (complete) {
      const guests = allGuests(trees);
      const amount = (show: Show) => guests.reduce((sum, guest) => sum + Number(inShow(guest, show)), 0);
      return { all: guests.length, outdated: amount("outdated"), security: amount("security"), "no-agent": amount("no-agent"), unknown: amount("unknown") };
    }
    const sum = (of: (cluster: Cluster) => number) => clusters.reduce((total, cluster) => total + of(cluster), 0);
    return {
      all: sum(({ rollup }) => rollup.guests),
      outdated: sum(({ rollup }) => rollup.out_of_date),
      security: sum(({ rollup }) => rollup.insecure),
      "no-agent": sum(({ rollup }) => rollup.no_agent),
      unknown: sum(({ rollup }) => rollup.unknown + rollup.stale),
    };
  }, [clusters, trees]);
}
