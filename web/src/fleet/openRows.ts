import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useEffect, useMemo, useRef } from "react";

/** Above this many guests clusters start closed. */
const openAllUpTo = 200;

/** Which rows were opened and which were closed by hand, as the address has them. */
interface Turned {
  readonly open?: string;
  readonly closed?: string;
}

/** What stood in the address when the fleet was left, for those who come back by the navigation instead of by "back". */
let remembered: Turned = {};

interface OpenRows {
  readonly isOpen: (id: string) => boolean;
  readonly toggle: (id: string) => void;
}

/** Which rows are open: small fleets start open, large ones closed, and the address names every row that is otherwise. */
export function useOpenRows(guests: number): OpenRows {
  const { open, closed } = useSearch({ from: "/shell/fleet" });
  const navigate = useNavigate({ from: "/fleet" });
  const startOpen = guests <= openAllUpTo;
  const turned = useMemo(() => ({ open: asSet(open), closed: asSet(closed) }), [open, closed]);
  const turn = useCallback(
    (next: Turned) => void navigate({ search: (old) => ({ ...old, open: next.open, closed: next.closed }), replace: true }),
    [navigate],
  );
  const isEntered = useRef(false);
  useEffect(() => {
    const entering = !isEntered.current;
    isEntered.current = true;
    if (entering && !open && !closed && (remembered.open ?? remembered.closed)) turn(remembered);
    else remembered = { open, closed };
  }, [open, closed, turn]);
  const isOpen = useCallback((id: string) => (turned.open.has(keyOf(id)) || startOpen) && !turned.closed.has(keyOf(id)), [turned, startOpen]);
  const toggle = useCallback(
    (id: string) => {
      const key = keyOf(id);
      const wasOpen = isOpen(id);
      turn({ open: asText(turned.open, key, !wasOpen && !startOpen), closed: asText(turned.closed, key, wasOpen && startOpen) });
    },
    [isOpen, startOpen, turned, turn],
  );
  return useMemo(() => ({ isOpen, toggle }), [isOpen, toggle]);
}

/** A row stands in the address by the end of its id: that part is random, the beginning is a time. */
const keyOf = (id: string) => id.slice(-8);

const asSet = (text: string | undefined): ReadonlySet<string> => new Set(text?.split(".").filter(Boolean));

function asText(keys: ReadonlySet<string>, key: string, present: boolean): string | undefined {
  const next = new Set(keys);
  if (present) next.add(key);
  else next.delete(key);
  return [...next].join(".") || undefined;
}
