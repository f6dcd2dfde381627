import { Button } from "../parts/Button";
import { Empty } from "../parts/Empty";
import { words } from "./words";

/** A filter without a result says which of its parts to drop. */
export function NoMatch({ query, onQuery, onAll }: { query: string; onQuery: (query: string) => void; onAll: () => void }) {
  const parts = query.split(/\s+/).filter(Boolean);
  const last = parts.at(-1);
  return (
    <Empty
      title={words.nothingMatches}
      action={
        last && parts.length > 1 ? (
          <Button onPress={() => onQuery(parts.slice(0, -1).join(" "))}>{words.drop(last)}</Button>
        ) : (
          <Button onPress={onAll}>{words.clearFilter}</Button>
        )
      }
    >
      {last && parts.length > 1 ? words.dropToken(last) : null}
    </Empty>
  );
}
