import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import type { Guest } from "../api/model";
import { queries } from "../api/queries";
import { FailedPage } from "../app/ErrorPage";
import { Page } from "../app/Page";
import { Ago } from "../parts/Ago";
import { Empty } from "../parts/Empty";
import { Note } from "../parts/Note";
import { Skeleton } from "../parts/Skeleton";
import { AgentCard } from "./AgentCard";
import { AgentState, GuestStatus } from "./GuestState";
import { GuestActions } from "./GuestActions";
import { GuestFacts } from "./GuestFacts";
import styles from "./GuestPage.module.css";
import { ReachPanel } from "./ReachPanel";
import { UpdateCount } from "./UpdateCount";
import { UpdateTable } from "./UpdateTable";
import { kindWord, pageWords as words } from "./words";
import { words as fleetWords } from "../fleet/words";

export function GuestPage() {
  const { cluster, vmid } = useParams({ from: "/shell/fleet/$cluster/guests/$vmid" });
  const tree = useQuery(queries.tree(cluster));
  const row = tree.data && [...tree.data.guests.values()].find((guest) => guest.vmid === Number(vmid));
  // The row has everything but the ways in; they arrive with the guest's own answer.
  const full = useQuery({ ...queries.guest(row?.id ?? ""), enabled: row !== undefined });
  const guest = full.data ?? row;
  const crumbs = [
    { label: fleetWords.title, to: "/fleet" },
    { label: tree.data?.cluster.name ?? "…", to: `/fleet/${cluster}` },
    ...(guest ? [{ label: guest.node, to: `/fleet/${cluster}/nodes/${guest.node}` }] : []),
  ];
  if (tree.error && !guest) return <FailedPage title={vmid} crumbs={crumbs} error={tree.error} onRetry={() => void tree.refetch()} />;
  if (!guest) {
    return (
      <Page title={vmid} crumbs={crumbs}>
        {tree.isPending ? <Skeleton what={vmid} /> : <Empty title={words.notFound}>{words.notFoundText}</Empty>}
      </Page>
    );
  }
  return (
    <Page title={guest.name} crumbs={crumbs} beside={`${kindWord[guest.kind]} ${guest.vmid}`} actions={<GuestActions guest={guest} />}>
      <Page.Scroll>
        {guest.gone_at && <Page.Section plain><Note kind="warn">{words.goneNote} <Ago at={guest.gone_at} />.</Note></Page.Section>}
        <Band guest={guest} />
        <div className={styles.split}>
          <div className={styles.left}>
            <UpdateTable guest={guest} />
            <GuestFacts guest={guest} />
          </div>
          <div className={styles.right}>
            <AgentCard guest={guest} />
            <ReachPanel guest={guest} error={full.error} onRetry={() => void full.refetch()} />
          </div>
        </div>
      </Page.Scroll>
    </Page>
  );
}

function Band({ guest }: { guest: Guest }) {
  return (
    <dl className={styles.band}>
      <div><dt>{words.status}</dt><dd><GuestStatus guest={guest} /></dd></div>
      <div><dt>{words.agent}</dt><dd><AgentState agent={guest.agent} /></dd></div>
      <div>
        <dt>{words.updates}</dt>
        <dd className={styles.bandUpdates}>
          <UpdateCount updates={guest.updates} />
          {guest.updates.scanned_at && <span className={styles.quiet}>scanned <Ago at={guest.updates.scanned_at} suffix=" ago" /></span>}
          {guest.updates.reboot_required && <span className={styles.warn}>{words.reboot}</span>}
        </dd>
      </div>
      <div><dt>{words.system}</dt><dd>{guest.system?.name ?? "–"}</dd></div>
      <div><dt>{words.address}</dt><dd>{guest.address ?? "–"}</dd></div>
      <div><dt>{words.backup}</dt><dd className={guest.backup === "none" ? styles.warn : undefined}>{words.backups[guest.backup]}</dd></div>
    </dl>
  );
}
