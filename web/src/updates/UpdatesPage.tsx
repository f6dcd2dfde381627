import { useNavigate } from "@tanstack/react-router";
import { RefreshCw } from "lucide-react";
import { useMemo } from "react";
import type { Guest } from "../api/model";
import { Page } from "../app/Page";
import { FirstRun, useFirstRun } from "../clusters/add/FirstRun";
import { FleetCall } from "../fleet/FleetCall";
import { allGuests, useFleet } from "../fleet/useFleet";
import { useGuestAction } from "../guests/useGuestAction";
import { Ago } from "../parts/Ago";
import { Button } from "../parts/Button";
import { ProblemNote } from "../parts/ProblemNote";
import { Skeleton } from "../parts/Skeleton";
import { Groups } from "./Groups";
import { NeedsYou } from "./NeedsYou";
import { NextStep } from "./NextStep";
import { details, needs, sentence, summarize } from "./summary";
import styles from "./UpdatesPage.module.css";
import { words } from "./words";

/** Home: what is out of date, what can be done about it now, what needs a person. */
export function UpdatesPage() {
  const fleet = useFleet("all");
  const first = useFirstRun(fleet.known && fleet.clusters.length === 0);
  const navigate = useNavigate();
  const { run, busy, dialog } = useGuestAction();
  const guests = useMemo(() => allGuests(fleet.trees), [fleet.trees]);
  const summary = useMemo(() => summarize(guests), [guests]);
  const nodes = useMemo(() => [...fleet.trees.values()].flatMap((tree) => tree.nodes), [fleet.trees]);
  const waiting = useMemo(() => needs(fleet.clusters, nodes, guests), [fleet.clusters, nodes, guests]);
  if (first.isShown) return <FirstRun title={words.title} hold={first.hold} />;
  const scannable = allowedTo("scan", guests);
  const missing = fleet.clusters.length - fleet.trees.size;
  return (
    <Page
      title={words.title}
      beside={summary.newestScan && <>{words.newest} <Ago at={summary.newestScan} suffix=" ago" /></>}
      actions={
        <Button icon={<RefreshCw size={14} aria-hidden />} busy={busy === "scan"} reason={scannable.length > 0 ? null : "No guest can be scanned now. The fleet says why, guest by guest."} onPress={() => run("scan", scannable)}>
          {words.scanAll}
        </Button>
      }
    >
      <div className={styles.split}>
        <div className={styles.main}>
          {fleet.error && <div className={styles.pad}><ProblemNote error={fleet.error} onRetry={fleet.retry} /></div>}
          {fleet.trees.size === 0 ? (
            !fleet.error && <Skeleton rows={10} what={words.title} />
          ) : (
            <>
              <div className={styles.lead}>
                <p className={styles.sentence}>{sentence(summary)}</p>
                <p className={styles.second}>{[...details(summary, nodes), missing > 0 ? words.partial(missing) : ""].filter(Boolean).join(" ")}</p>
              </div>
              <FleetCall fleet={fleet} onPick={(id) => void navigate({ to: "/guests/$id", params: { id } })} />
              <NextStep summary={summary} guests={guests} busy={busy} onRun={run} />
              <Groups summary={summary} busy={busy} onRun={run} />
            </>
          )}
        </div>
        <NeedsYou needs={waiting} />
      </div>
      {dialog}
    </Page>
  );
}

function allowedTo(name: string, guests: readonly Guest[]): readonly string[] {
  return guests.filter((guest) => guest.actions.some((action) => action.name === name && action.allowed)).map((guest) => guest.id);
}
