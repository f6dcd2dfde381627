import { useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { Radar } from "lucide-react";
import { asCurl, call, send } from "../api/call";
import type { Cluster } from "../api/model";
import { queries } from "../api/queries";
import { Page } from "../app/Page";
import { words as fleetWords } from "../fleet/words";
import { Button } from "../parts/Button";
import { CopyButton } from "../parts/CopyButton";
import { Empty } from "../parts/Empty";
import { ProblemNote } from "../parts/ProblemNote";
import { Skeleton } from "../parts/Skeleton";
import { Tabs } from "../parts/Tabs";
import { toast, toastProblem } from "../parts/toast";
import { words as partWords } from "../parts/words";
import { CertificateTab } from "./CertificateTab";
import { ClusterHealth } from "./ClusterHealth";
import { DiscoveryLog } from "./DiscoveryLog";
import { ClusterSettings } from "./ClusterSettings";
import { RightsTab } from "./RightsTab";
import { type ClusterTab, clusterTabs } from "./tabs";
import { words } from "./words";

export function ClusterPage() {
  const { cluster: id } = useParams({ from: "/shell/fleet/$cluster" });
  const { tab } = useSearch({ from: "/shell/fleet/$cluster" });
  const navigate = useNavigate({ from: "/fleet/$cluster" });
  const list = useQuery(queries.clusters);
  const cluster = list.data?.find((each) => each.id === id);
  if (!cluster) {
    return (
      <Page title={fleetWords.title} crumbs={crumbs}>
        {list.error ? <Page.Section plain><ProblemNote error={list.error} onRetry={() => void list.refetch()} /></Page.Section> : list.isPending ? <Skeleton what={fleetWords.title} /> : <Empty title={words.notFound}>{words.notFoundText}</Empty>}
      </Page>
    );
  }
  const tabs = [{ id: "health", label: words.health } as const, ...clusterTabs.map((each) => ({ id: each, label: words[each] }))];
  return (
    <Page title={cluster.name} crumbs={crumbs} actions={<Actions cluster={cluster} />}>
      <Tabs
        label={cluster.name}
        tabs={tabs}
        chosen={tab ?? "health"}
        onChoose={(next) => void navigate({ search: { tab: next === "health" ? undefined : (next as ClusterTab) } })}
      >
        {content(tab, cluster)}
      </Tabs>
    </Page>
  );
}

const crumbs = [{ label: fleetWords.title, to: "/fleet" }];

function content(tab: ClusterTab | undefined, cluster: Cluster) {
  switch (tab) {
    case "rights":
      return <RightsTab cluster={cluster} />;
    case "certificate":
      return <CertificateTab cluster={cluster} />;
    case "discovery":
      return <DiscoveryLog cluster={cluster} />;
    case "settings":
      return <ClusterSettings key={cluster.id} cluster={cluster} />;
    case undefined:
      return <ClusterHealth cluster={cluster} />;
  }
}

function Actions({ cluster }: { cluster: Cluster }) {
  const discoverCall = call("post", "/api/v1/proxmox/clusters/{id}/discover", { path: { id: cluster.id } });
  const navigate = useNavigate();
  const discover = useMutation({
    mutationFn: () => send(discoverCall),
    onSuccess: ({ job }) => toast("Discovery started.", { action: { label: "Open the job", run: () => void navigate({ to: "/jobs/$job", params: { job: job.id } }) } }),
    onError: toastProblem,
  });
  const allowed = cluster.actions.find((action) => action.name === "discover");
  return (
    <>
      <CopyButton text={asCurl(discoverCall)} label={partWords.copyAsApiCall} />
      <Button icon={<Radar size={14} aria-hidden />} busy={discover.isPending} reason={allowed && !allowed.allowed ? (allowed.reason ?? "Not possible now.") : null} onPress={() => discover.mutate()}>
        {words.discover}
      </Button>
    </>
  );
}
