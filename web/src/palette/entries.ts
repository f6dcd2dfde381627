import type { Guest } from "../api/model";
import { bulkActions } from "../guests/actions";
import type { Fleet } from "../fleet/useFleet";
import { allGuests } from "../fleet/useFleet";
import { words as appWords } from "../app/words";
import { words } from "./words";

/** One line of the palette: where it leads, or what it does to a guest. */
export interface Entry {
  readonly id: string;
  readonly name: string;
  readonly detail: string;
  readonly goes?: string;
  readonly does?: { readonly action: string; readonly guest: Guest };
}

const mostShown = 12;

const pages: readonly Entry[] = (
  [
    ["/", appWords.updates],
    ["/fleet", appWords.fleet],
    ["/jobs", appWords.jobs],
    ["/agents", appWords.agents],
    ["/audit", appWords.audit],
    ["/settings/clusters", appWords.settings],
    ["/settings/clusters/add", words.addCluster],
  ] as const
).map(([goes, name]) => ({ id: goes, name, detail: words.page, goes }));

/** What fits to the typed words: names that begin with them first, then names that hold them; actions after their guest. */
export function findEntries(typed: string, fleet: Pick<Fleet, "clusters" | "trees">): readonly Entry[] {
  const wanted = typed.trim().toLowerCase();
  if (wanted === "") return pages;
  const fits = (name: string) => name.toLowerCase().includes(wanted);
  const begins = (name: string) => Number(name.toLowerCase().startsWith(wanted));
  const guests = allGuests(fleet.trees).filter((guest) => fits(guest.name) || String(guest.vmid) === wanted || guest.addresses.includes(wanted));
  const places = [
    ...fleet.clusters.filter((cluster) => fits(cluster.name)).map((cluster) => ({ id: cluster.id, name: cluster.name, detail: "cluster", goes: `/fleet/${cluster.id}` })),
    ...[...fleet.trees.values()].flatMap((tree) => tree.nodes.filter((node) => fits(node.name)).map((node) => ({ id: node.id, name: node.name, detail: tree.cluster.name, goes: `/fleet/${tree.cluster.id}/nodes/${node.name}` }))),
    ...guests.slice(0, 200).map((guest) => ({ id: guest.id, name: guest.name, detail: words.on(guest.vmid, guest.node), goes: `/fleet/${guest.cluster}/guests/${guest.vmid}` })),
    ...pages.filter((page) => fits(page.name)),
  ].toSorted((a, b) => begins(b.name) - begins(a.name));
  return [...places.slice(0, mostShown - 2), ...actionsOf(guests)].slice(0, mostShown);
}

/** Actions are offered once the words mean one guest. */
function actionsOf(guests: readonly Guest[]): Entry[] {
  const guest = guests[0];
  if (!guest || guests.length > 1) return [];
  return bulkActions
    .filter((action) => guest.actions.some(({ name, allowed }) => name === action.name && allowed))
    .map((action) => ({ id: `${action.name}:${guest.id}`, name: action.name === "scan" ? words.scan(guest.name) : words.install(guest.name), detail: words.action, does: { action: action.name, guest } }));
}
