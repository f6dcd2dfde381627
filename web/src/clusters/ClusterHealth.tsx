import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Cluster } from "../api/model";
import { queries } from "../api/queries";
import { Page } from "../app/Page";
import type { Show } from "../fleet/filter";
import { guestsByNode } from "../fleet/tree";
import { words as fleetWords } from "../fleet/words";
import { RollupSum } from "../guests/UpdateCount";
import { Ago } from "../parts/Ago";
import { Facts } from "../parts/Facts";
import { Note } from "../parts/Note";
import { ProblemNote } from "../parts/ProblemNote";
import { RollCall } from "../parts/RollCall";
import { Skeleton } from "../parts/Skeleton";
import { number } from "../words/plural";
import { ClusterState } from "./ClusterState";
import { NodeList } from "./NodeList";
import type { ClusterTab } from "./tabs";
import { words } from "./words";

const stepShow: Readonly<Record<string, Show | undefined>> = { bulk_install: "no-agent", bulk_scan: "unknown" };
const stepTab: Readonly<Record<string, ClusterTab | undefined>> = { resume: "settings", rotate_token: "settings", edit: "settings", test: "rights" };

/** Where a suggested step is taken: its guests chosen in the fleet, or the tab that has the button. */
function StepLink({ cluster, action }: { cluster: string; action: string }) {
  const show = stepShow[action];
  const tab = stepTab[action];
  if (show) return <Link className="link" to="/fleet" search={{ show, select: "all" }}>{words.showInFleet}</Link>;
  if (!tab) return null;
  return <Link className="link" to="/fleet/$cluster" params={{ cluster }} search={{ tab }}>{words[tab]}</Link>;
}

/** Is it reachable, quorate, and what runs on its nodes? */
export function ClusterHealth({ cluster }: { cluster: Cluster }) {
  const tree = useQuery(queries.tree(cluster.id));
  return (
    <>
      {cluster.error && (
        <Page.Section plain>
          <Note kind="bad" title={`${cluster.name} ${words.error}.`}>
            {cluster.error.detail} {cluster.error.since && <>{words.errorSince} <Ago at={cluster.error.since} />. </>}
            {words.errorHelp}
          </Note>
        </Page.Section>
      )}
      {cluster.next_step && (
        <Page.Section plain>
          <Note
            kind="info"
            title={`${words.nextStep}:`}
            actions={<StepLink cluster={cluster.id} action={cluster.next_step.action} />}
          >
            {cluster.next_step.text}
          </Note>
        </Page.Section>
      )}
      <Page.Section>
        <Facts
          facts={[
            [words.status, <ClusterState key="status" cluster={cluster} />],
            [words.version, cluster.version],
            [words.quorum, cluster.quorate == null ? null : cluster.quorate ? words.quorate : words.notQuorate],
            [words.guests, <span key="guests">{number(cluster.rollup.guests)}, {number(cluster.rollup.running)} running</span>],
            [fleetWords.columns.updates, <RollupSum key="sum" rollup={cluster.rollup} />],
            [words.lastDiscovery, cluster.last_discovered_at ? <Ago key="at" at={cluster.last_discovered_at} suffix=" ago" /> : fleetWords.never],
            [words.endpoints, cluster.endpoints.join(", ")],
            [words.token, <code key="token">{cluster.token_id}</code>],
            [words.intervals, words.every(cluster.state_seconds, cluster.detail_seconds)],
          ]}
        />
      </Page.Section>
      <Page.Section title={words.nodes} plain>
        {tree.error ? <ProblemNote error={tree.error} onRetry={() => void tree.refetch()} /> : tree.data ? <NodeList tree={tree.data} call={(node) => <RollCall size="row" label={node} ticks={(guestsByNode(tree.data).get(node) ?? []).map(({ id, tick, name }) => ({ id, tick, name }))} />} /> : <Skeleton rows={3} what={words.nodes} />}
      </Page.Section>
    </>
  );
}
