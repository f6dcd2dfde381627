import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { call, send } from "../api/call";
import type { Bulk } from "../api/model";
import { Button } from "../parts/Button";
import { Choice } from "../parts/Choice";
import { Dialog } from "../parts/Dialog";
import { ProblemNote } from "../parts/ProblemNote";
import { Skeleton } from "../parts/Skeleton";
import { count, listed } from "../words/plural";
import { transportWord } from "../words/transport";
import styles from "./ByHandDialog.module.css";
import { installWords as words } from "./words";

type Consoles = "leave" | "set" | "restart";

interface Props {
  readonly guests: readonly string[];
  /** Replace an agent that works. */
  readonly again: boolean;
  readonly onDone: (answer: Bulk) => void;
  readonly onClose: () => void;
}

/** What would become of each guest before an agent is installed, and the one question that only a person can answer. */
export function InstallDialog({ guests, again, onDone, onClose }: Props) {
  const [consoles, setConsoles] = useState<Consoles>("leave");
  const body = { guests: [...guests], reinstall: again, consoles };
  const offer = useQuery({
    queryKey: ["preview", "install", body],
    queryFn: ({ signal }) => send(call("post", "/api/v1/guests/bulk-install", { body: { ...body, dry_run: true } }), signal),
    gcTime: 10_000,
    placeholderData: (before) => before,
  });
  const install = useMutation({ mutationFn: () => send(call("post", "/api/v1/guests/bulk-install", { body })), onSuccess: onDone });
  const accepted = offer.data?.targets.filter((target) => target.decision === "accepted") ?? [];
  const switchable = accepted.filter((target) => target.install?.may_open_console);
  const error = install.error ?? offer.error;
  return (
    <Dialog
      title={words.title(guests.length, again)}
      width="wide"
      onClose={onClose}
      footer={
        <>
          <Button look="ghost" onPress={onClose}>{words.cancel}</Button>
          <Button look="primary" busy={install.isPending} reason={accepted.length > 0 ? null : offer.data ? words.nothing : words.asking} onPress={() => install.mutate()}>
            {words.go(accepted.length)}
          </Button>
        </>
      }
    >
      {error && <ProblemNote error={error} onRetry={() => void offer.refetch()} />}
      {!offer.data && !error && <Skeleton rows={4} what={words.title(guests.length, again)} />}
      {offer.data && <Groups bulk={offer.data} />}
      {switchable.length > 0 && (
        <section className={styles.line}>
          <h3>{words.consoleTitle(switchable.length)}</h3>
          <p className={styles.lead}>{words.consoleText(listed(switchable.map((target) => target.guest.name), 6))}</p>
          <Choice
            label={words.consoleTitle(switchable.length)}
            value={consoles}
            onChange={setConsoles}
            options={[
              { value: "leave", label: words.leave },
              { value: "set", label: words.set },
              { value: "restart", label: words.restart(switchable.length) },
            ]}
          />
        </section>
      )}
    </Dialog>
  );
}

/** The guests by what becomes of them, each group with its reason. */
function Groups({ bulk }: { bulk: Bulk }) {
  const groups = new Map<string, string[]>();
  for (const { guest, install, reason } of bulk.targets) {
    const why = install ? way(install) : (reason?.detail ?? words.nothing);
    groups.set(why, [...(groups.get(why) ?? []), guest.name]);
  }
  return (
    <section className={styles.line}>
      <ul className={styles.guests}>
        {[...groups].map(([why, names]) => (
          <li key={why}>
            <p>
              <strong>{names.length === 1 ? names[0] : count(names.length, "guest", "guests")}</strong> {why}
            </p>
            {names.length > 1 && <p className={styles.hint}>{listed(names, 8)}</p>}
          </li>
        ))}
      </ul>
    </section>
  );
}

function way({ ways, opens_console, by_hand }: NonNullable<Bulk["targets"][number]["install"]>): string {
  const named = listed(ways.map(transportWord), 4);
  if (opens_console) return words.throughConsole(named);
  if (ways.length === 0) return words.byHand;
  return by_hand ? words.tries(named) : words.through(named);
}
