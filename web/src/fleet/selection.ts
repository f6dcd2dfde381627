import { useCallback, useMemo, useState } from "react";

export interface Selection {
  readonly ids: ReadonlySet<string>;
  toggle: (ids: readonly string[]) => void;
  /** Adds or takes away these guests. */
  set: (ids: readonly string[], selected: boolean) => void;
  replace: (ids: readonly string[]) => void;
  clear: () => void;
}

/** Which guests are selected. Clusters and nodes are never selected themselves: they stand for their guests. */
export function useSelection(): Selection {
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set());
  const set = useCallback((changed: readonly string[], selected: boolean) => {
    setIds((current) => {
      const next = new Set(current);
      for (const id of changed) if (selected) next.add(id);
        else next.delete(id);
      return next;
    });
  }, []);
  return useMemo(
    () => ({
      ids,
      set,
      toggle: (changed) => set(changed, !changed.every((id) => ids.has(id))),
      replace: (next) => setIds(new Set(next)),
      clear: () => setIds(new Set()),
    }),
    [ids, set],
  );
}
