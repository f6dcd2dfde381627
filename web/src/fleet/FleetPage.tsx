import { useMutation } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { List, ListTree, Plus, Radar } from "lucide-react";
import { useEffect, useMemo, useRef, useState } from "react";
import { call, send } from "../api/call";
import type { Cluster } from "../api/model";
import { useHasRole } from "../app/session";
import { Page } from "../app/Page";
import { useIsPhone } from "../app/useMedia";
import { useGuestAction } from "../guests/useGuestAction";
import { FirstRun, useFirstRun } from "../clusters/add/FirstRun";
import { Button } from "../parts/Button";
import { Choice } from "../parts/Choice";
import { ProblemNote } from "../parts/ProblemNote";
import { Skeleton } from "../parts/Skeleton";
import { toast, toastProblem } from "../parts/toast";
import { BulkBar } from "./BulkBar";
import { FilterBar } from "./FilterBar";
import { FleetCall } from "./FleetCall";
import { FleetTable } from "./FleetTable";
import { NoMatch } from "./NoMatch";
import { useOpenRows } from "./openRows";
import type { FleetRow, Heights } from "./rows";
import { type Selection, useSelection } from "./selection";
import { allGuests, totalGuests, useFleet } from "./useFleet";
import { useFleetRows } from "./useFleetRows";
import styles from "./FleetPage.module.css";
import { words } from "./words";

const deskHeights: Heights = { cluster: 38, node: 34, guest: 32 };
const phoneHeights: Heights = { cluster: 48, node: 46, guest: 58 };

export function FleetPage() {
  const search = useSearch({ from: "/shell/fleet" });
  const navigate = useNavigate({ from: "/fleet" });
  const isPhone = useIsPhone();
  const mayManage = useHasRole("admin");
  const isList = search.view === "list";
  const show = search.show ?? "all";
  const query = search.q ?? "";
  const filtered = show !== "all" || query !== "";
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const fleet = useFleet(isList || filtered ? "all" : (cluster) => opened.has(cluster));
  const first = useFirstRun(fleet.known && fleet.clusters.length === 0);
  const { isOpen, toggle } = useOpenRows(totalGuests(fleet.clusters));
  const selection = useSelection();
  const { run, busy, dialog } = useGuestAction();
  const filterField = useRef<HTMLInputElement>(null);
  const heights = isPhone ? phoneHeights : deskHeights;
  const { rows, match, moved, sortAgain } = useFleetRows(fleet, { isList, query, show, sort: search.sort, isOpen, selected: selection.ids, heights });
  useReadOpenClusters(fleet.clusters.map((cluster) => cluster.id).filter(isOpen), opened, setOpened);

  useSelectAll(search.select === "all" && fleet.complete, rows, selection.replace, () => void navigate({ search: (old) => ({ ...old, select: undefined }), replace: true }));

  const chosen = useMemo(() => allGuests(fleet.trees).filter((guest) => selection.ids.has(guest.id)), [fleet.trees, selection.ids]);
  const runAndClear = (name: string, guests: readonly string[]) => {
    run(name, guests);
    selection.clear();
  };
  const [aimed, setAimed] = useState<{ name: string } | null>(null);
  const clear = () => {
    selection.clear();
    setAimed(null);
    focusRows();
  };
  const onLetter = (letter: string, guests: readonly string[]) => {
    const name = { s: "scan", i: "install_agent" }[letter];
    if (!name || guests.length === 0) return false;
    selection.replace(guests);
    setAimed({ name });
    return true;
  };

  if (fleet.loading) return <Page title={words.title}><Skeleton rows={12} what={words.title} /></Page>;
  if (!fleet.known) return <Page title={words.title}><Page.Section plain><ProblemNote error={fleet.error} onRetry={fleet.retry} /></Page.Section></Page>;
  if (first.isShown) return <FirstRun title={words.title} hold={first.hold} />;
  const nodes = fleet.complete ? [...fleet.trees.values()].reduce((sum, tree) => sum + tree.nodes.length, 0) : 0;
  return (
    <Page
      title={words.title}
      beside={words.summary(fleet.clusters.length, nodes, totalGuests(fleet.clusters))}
      actions={
        <>
          {!isPhone && <Choice
            label={words.view}
            value={isList ? "list" : "tree"}
            onChange={(view) => void navigate({ search: (old) => ({ ...old, view: view === "list" ? "list" : undefined }), replace: true })}
            options={[
              { value: "tree", label: <><ListTree size={14} aria-hidden />{words.tree}</> },
              { value: "list", label: <><List size={14} aria-hidden />{words.list}</> },
            ]}
          />}
          <DiscoverAll clusters={fleet.clusters} iconOnly={isPhone} />
          {mayManage && (
            <Button look="primary" iconOnly={isPhone} icon={<Plus size={14} aria-hidden />} onPress={() => void navigate({ to: "/settings/clusters/add" })}>
              {words.addCluster}
            </Button>
          )}
        </>
      }
    >
      <FleetCall fleet={fleet} />
      <FilterBar
        field={filterField}
        query={query}
        show={show}
        clusters={fleet.clusters}
        guests={fleet.trees}
        onQuery={(q) => void navigate({ search: (old) => ({ ...old, q: q || undefined }), replace: true })}
        onLeave={focusRows}
        onShow={(next) => void navigate({ search: (old) => ({ ...old, show: next === "all" ? undefined : next }) })}
      />
      {fleet.error && (
        <Page.Section plain>
          <ProblemNote error={fleet.error} onRetry={fleet.retry} />
        </Page.Section>
      )}
      {moved > 0 && (
        <div className={styles.moved} role="status">
          {words.wouldMove(moved)}
          <Button size="small" onPress={sortAgain}>
            {words.sortAgain}
          </Button>
        </div>
      )}
      {rows.length === 0 && match && fleet.complete ? (
        <NoMatch query={query} onQuery={(q) => void navigate({ search: (old) => ({ ...old, q: q || undefined }) })} onAll={() => void navigate({ search: {} })} />
      ) : (
        <FleetTable
          rows={rows}
          trees={fleet.trees}
          match={match}
          selection={selection}
          isList={isList}
          sort={search.sort}
          onSort={(sort) => void navigate({ search: (old) => ({ ...old, sort }), replace: true })}
          onToggle={toggle}
          isPhone={isPhone}
          bottomSpace={chosen.length > 0 ? 150 : 24}
          onLetter={onLetter}
          onFilter={() => filterField.current?.focus()}
        />
      )}
      {chosen.length > 0 && <BulkBar guests={chosen} busy={busy} onRun={runAndClear} onClear={clear} aimed={aimed} />}
      {dialog}
    </Page>
  );
}

/** Puts the focus on the row that had it last. */
function focusRows(): void {
  document.querySelector<HTMLElement>('[data-row][tabindex="0"]')?.focus();
}

/** A link that means all rows of its filter selects them once they are there; from then on the selection is the user's. */
function useSelectAll(asked: boolean, rows: readonly FleetRow[], replace: Selection["replace"], done: () => void): void {
  const isDone = useRef(false);
  useEffect(() => {
    if (!asked || isDone.current) return;
    isDone.current = true;
    replace(rows.flatMap((row) => (row.kind === "guest" ? [row.id] : [])));
    done();
  });
}

/** A large fleet reads a cluster when it is opened first, and keeps it. */
function useReadOpenClusters(open: readonly string[], read: ReadonlySet<string>, setRead: (next: ReadonlySet<string>) => void): void {
  const missing = open.filter((id) => !read.has(id));
  if (missing.length > 0) setRead(new Set([...read, ...missing]));
}

function DiscoverAll({ clusters, iconOnly }: { clusters: readonly Cluster[]; iconOnly: boolean }) {
  const actions = clusters.map((cluster) => ({ id: cluster.id, ...cluster.actions.find((action) => action.name === "discover") }));
  const possible = actions.filter((action) => action.allowed).map((action) => action.id);
  const discover = useMutation({
    mutationFn: () => Promise.all(possible.map((id) => send(call("post", "/api/v1/proxmox/clusters/{id}/discover", { path: { id } })))),
    onSuccess: (answers) => toast(words.discoveryStarted(answers.length)),
    onError: toastProblem,
  });
  return (
    <Button iconOnly={iconOnly} icon={<Radar size={14} aria-hidden />} busy={discover.isPending} reason={possible.length > 0 ? null : (actions[0]?.reason ?? words.notNow)} onPress={() => discover.mutate()}>
      {words.discover}
    </Button>
  );
}

