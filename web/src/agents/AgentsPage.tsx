import { Link, useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";
import type { Agent } from "../api/model";
import { Page } from "../app/Page";
import { allGuests, useFleet } from "../fleet/useFleet";
import { AgentState } from "../guests/GuestState";
import { Ago } from "../parts/Ago";
import { Button } from "../parts/Button";
import { Empty } from "../parts/Empty";
import { ProblemNote } from "../parts/ProblemNote";
import { Skeleton } from "../parts/Skeleton";
import { Table } from "../parts/Table";
import { words } from "./words";

/** What deviates stands first. */
const order: readonly Agent["state"][] = ["quarantined", "offline", "late", "enrolling", "online", "none"];

export function AgentsPage() {
  const fleet = useFleet("all");
  const navigate = useNavigate();
  const guests = useMemo(
    () =>
      allGuests(fleet.trees)
        .filter((guest) => guest.agent.state !== "none")
        .toSorted((a, b) => order.indexOf(a.agent.state) - order.indexOf(b.agent.state) || a.name.localeCompare(b.name)),
    [fleet.trees],
  );
  const online = guests.filter((guest) => guest.agent.state === "online").length;
  return (
    <Page title={words.title} beside={guests.length > 0 && words.summary(online, guests.length)}>
      {fleet.error && <Page.Section plain><ProblemNote error={fleet.error} onRetry={fleet.retry} /></Page.Section>}
      {!fleet.complete && !fleet.error && <Skeleton what={words.title} />}
      {fleet.complete && guests.length === 0 && (
        <Empty title={words.emptyTitle} action={<Button look="primary" onPress={() => void navigate({ to: "/fleet", search: { show: "no-agent" } })}>{words.openFleet}</Button>}>
          {words.emptyText}
        </Empty>
      )}
      {guests.length > 0 && (
        <Table
          label={words.title}
          rows={guests}
          rowKey={(guest) => guest.id}
          columns={[
            {
              id: "guest",
              header: words.guest,
              head: true,
              cell: (guest) => (
                <Link className="rowLink" to="/fleet/$cluster/guests/$vmid" params={{ cluster: guest.cluster, vmid: String(guest.vmid) }}>
                  {guest.name} <span className="third">{`${guest.vmid} on ${guest.node}`}</span>
                </Link>
              ),
            },
            { id: "state", header: words.state, cell: (guest) => <AgentState agent={guest.agent} /> },
            { id: "version", header: words.version, cell: (guest) => guest.agent.version },
            { id: "seen", header: words.seen, quiet: true, cell: (guest) => guest.agent.last_seen_at && <Ago at={guest.agent.last_seen_at} /> },
            { id: "why", header: words.why, quiet: true, long: true, cell: (guest) => guest.agent.reason },
          ]}
        />
      )}
    </Page>
  );
}
