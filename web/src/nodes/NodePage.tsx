import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import type { Node } from "../api/model";
import { queries } from "../api/queries";
import { FailedPage } from "../app/ErrorPage";
import { Page } from "../app/Page";
import { guestsByNode } from "../fleet/tree";
import { words as fleetWords } from "../fleet/words";
import { AgentState, GuestStatus } from "../guests/GuestState";
import { ReachChip } from "../guests/ReachChip";
import { shortSystem } from "../guests/system";
import { UpdateCount } from "../guests/UpdateCount";
import { Empty } from "../parts/Empty";
import { Facts } from "../parts/Facts";
import { Note } from "../parts/Note";
import { RollCall } from "../parts/RollCall";
import { Skeleton } from "../parts/Skeleton";
import { Table } from "../parts/Table";
import { binarySize } from "../words/size";
import { duration } from "../words/time";
import { NodeState } from "./NodeState";
import { words } from "./words";

export function NodePage() {
  const { cluster, node: name } = useParams({ from: "/shell/fleet/$cluster/nodes/$node" });
  const tree = useQuery(queries.tree(cluster));
  const node = tree.data?.nodes.find((each) => each.name === name);
  const crumbs = [
    { label: fleetWords.title, to: "/fleet" },
    { label: tree.data?.cluster.name ?? "…", to: `/fleet/${cluster}` },
  ];
  if (tree.error && !tree.data) return <FailedPage title={name} crumbs={crumbs} error={tree.error} onRetry={() => void tree.refetch()} />;
  if (!tree.data || !node) {
    return (
      <Page title={name} crumbs={crumbs}>
        {tree.isPending ? <Skeleton what={name} /> : <Empty title={words.notFound} />}
      </Page>
    );
  }
  const guests = guestsByNode(tree.data).get(name) ?? [];
  return (
    <Page title={name} crumbs={crumbs} beside={fleetWords.guests(guests.length)}>
      {node.status !== "online" && (
        <Page.Section plain>
          <Note kind="bad">{words.stale(name, fleetWords.guests(guests.length))}</Note>
        </Page.Section>
      )}
      <Page.Section>
        <NodeFacts node={node} />
      </Page.Section>
      {guests.length > 0 && (
        <>
          <Page.Section title={words.guests} plain>
            <RollCall label={name} ticks={guests.map(({ id, tick, name: guest }) => ({ id, tick, name: guest }))} />
          </Page.Section>
          <Table
            label={words.guests}
            rows={guests}
            rowKey={(guest) => guest.id}
            columns={[
              { id: "name", header: fleetWords.columns.name, head: true, cell: (guest) => <Link className="rowLink" to="/fleet/$cluster/guests/$vmid" params={{ cluster, vmid: String(guest.vmid) }}>{guest.name} <span className="third">{guest.vmid}</span></Link> },
              { id: "status", header: fleetWords.columns.status, cell: (guest) => <GuestStatus guest={guest} /> },
              { id: "agent", header: fleetWords.columns.agent, quiet: true, cell: (guest) => <AgentState agent={guest.agent} /> },
              { id: "updates", header: fleetWords.columns.updates, cell: (guest) => <UpdateCount updates={guest.updates} /> },
              { id: "reach", header: fleetWords.columns.reach, quiet: true, cell: (guest) => <ReachChip guest={guest} /> },
              { id: "system", header: fleetWords.columns.system, quiet: true, cell: (guest) => guest.system ? shortSystem(guest.system.name) : fleetWords.dash },
            ]}
          />
        </>
      )}
    </Page>
  );
}

function NodeFacts({ node }: { node: Node }) {
  const cpu = node.cpus == null ? null : node.cpu == null ? words.cpus(node.cpus) : words.cpuOf(Math.round(node.cpu * 100), node.cpus);
  return (
    <Facts
      facts={[
        [words.status, <NodeState key="state" node={node} />],
        [words.version, node.version],
        [words.address, node.address],
        [words.cpu, cpu],
        [words.memory, node.memory_total ? binarySize(node.memory_total) : null],
        [words.uptime, node.uptime ? duration(node.uptime * 1000) : null],
        [words.updates, <UpdateCount key="updates" updates={node.updates} />],
      ]}
    />
  );
}
