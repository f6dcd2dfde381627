/** How often the leader says that it is still there. */
const beat = 2_000;
/** A lease that was not renewed for this long may be taken; the leader is asked first, because timers of hidden tabs sleep. */
const lifetime = 3 * beat;
/** How long a contender waits for a sign of life of a leader whose lease ran out. */
const patience = 400;
/** Contenders come one after another: each waits up to this much longer. */
const spread = 60;
/** Two tabs that wrote in the same moment both read the later one's name after this pause. */
const settling = 60;

/** Who has the lease, and until when it counts without another word (ms of the clock). */
interface Held {
  readonly tab: string;
  readonly until: number;
}

/** What a lease needs of the browser, so that a test can be several tabs at once. */
export interface LeaseParts {
  readonly storage: Pick<Storage, "getItem" | "setItem" | "removeItem">;
  /** Calls back when another tab has written or removed the record. Returns how to stop that. */
  readonly onStored: (listener: () => void) => () => void;
  /** Calls back when the page goes away. Returns how to stop that. */
  readonly onLeaving: (listener: () => void) => () => void;
  readonly name: string;
  /** A name that no other tab has. */
  readonly tab: string;
  /** Asks all tabs whether one of them leads. */
  readonly ask: () => void;
}

export interface Duties {
  readonly lead: () => void;
  readonly follow: () => void;
}

export interface Lease {
  /** A leader was heard on the channel. */
  readonly heard: () => void;
  /** Somebody asked whether this tab leads. */
  readonly asked: () => void;
  readonly stop: () => void;
}

/**
 * One leader among the tabs of a browser that has no Web Locks, as on plain HTTP: a record in `localStorage` that its
 * holder renews. A closed tab removes it, a crashed one lets it run out. Writing is not atomic, so two tabs may lead for
 * a moment; the one whose name does not stand in the record follows again as soon as it sees that.
 */
export function contend({ storage, onStored, onLeaving, name, tab, ask }: LeaseParts, { lead, follow }: Duties): Lease {
  let leads = false;
  let contest: ReturnType<typeof setTimeout> | undefined;

  const read = (): Held | null => {
    try {
      return JSON.parse(storage.getItem(name) ?? "null") as Held | null;
    } catch {
      return null;
    }
  };
  const write = () => storage.setItem(name, JSON.stringify({ tab, until: Date.now() + lifetime } satisfies Held));
  const isTaken = (held: Held | null) => held !== null && held.tab !== tab && held.until > Date.now();

  const stepDown = () => {
    if (!leads) return;
    leads = false;
    follow();
  };
  const resign = () => {
    if (read()?.tab === tab) storage.removeItem(name);
    stepDown();
  };
  const settle = () => {
    contest = undefined;
    if (read()?.tab !== tab) return;
    leads = true;
    lead();
  };
  const claim = () => {
    contest = undefined;
    if (isTaken(read())) return;
    write();
    contest = setTimeout(settle, settling);
  };
  const check = () => {
    const held = read();
    if (leads) {
      if (isTaken(held)) stepDown();
      else write();
    } else if (contest === undefined && !isTaken(held)) {
      const silent = held !== null && held.tab !== tab;
      if (silent) ask();
      contest = setTimeout(claim, Math.random() * spread + (silent ? patience : 0));
    }
  };

  const beating = setInterval(check, beat);
  const endings = [onStored(check), onLeaving(resign)];
  check();
  return {
    heard: () => {
      if (leads) return;
      clearTimeout(contest);
      contest = undefined;
    },
    asked: () => leads && check(),
    stop: () => {
      clearInterval(beating);
      clearTimeout(contest);
      for (const end of endings) end();
      resign();
    },
  };
}
