import { queryOptions } from "@tanstack/react-query";
import { asTree } from "../fleet/tree";
import { call, send } from "./call";
import { keys } from "./keys";

/** What the pages read. Live events keep these answers fresh, so nothing is refetched by age. */
export const queries = {
  session: queryOptions({ queryKey: keys.session, queryFn: ({ signal }) => send(call("get", "/api/v1/session"), signal) }),
  system: queryOptions({ queryKey: keys.system, queryFn: ({ signal }) => send(call("get", "/api/v1/system"), signal) }),
  settings: queryOptions({ queryKey: keys.settings, queryFn: ({ signal }) => send(call("get", "/api/v1/settings"), signal) }),
  users: queryOptions({ queryKey: keys.users, queryFn: async ({ signal }) => (await send(call("get", "/api/v1/users"), signal)).items }),
  tokens: queryOptions({ queryKey: keys.tokens, queryFn: async ({ signal }) => (await send(call("get", "/api/v1/tokens"), signal)).items }),
  clusters: queryOptions({
    queryKey: keys.clusters,
    queryFn: async ({ signal }) => (await send(call("get", "/api/v1/proxmox/clusters"), signal)).items,
  }),
  tree: (cluster: string) =>
    queryOptions({
      queryKey: keys.tree(cluster),
      queryFn: async ({ signal }) => asTree(await send(call("get", "/api/v1/proxmox/clusters/{id}/hierarchy", { path: { id: cluster } }), signal)),
      structuralSharing: false,
    }),
  discoveries: (cluster: string) =>
    queryOptions({
      queryKey: keys.discoveries(cluster),
      queryFn: async ({ signal }) =>
        (await send(call("get", "/api/v1/proxmox/clusters/{id}/discoveries", { path: { id: cluster }, query: { limit: 50 } }), signal)).items,
    }),
  rights: (cluster: string) =>
    queryOptions({
      queryKey: keys.rights(cluster),
      queryFn: ({ signal }) => send(call("post", "/api/v1/proxmox/clusters/{id}/test", { path: { id: cluster } }), signal),
    }),
  guest: (id: string) =>
    queryOptions({ queryKey: keys.guest(id), queryFn: ({ signal }) => send(call("get", "/api/v1/guests/{id}", { path: { id } }), signal) }),
  guestUpdates: (id: string) =>
    queryOptions({ queryKey: keys.guestUpdates(id), queryFn: ({ signal }) => send(call("get", "/api/v1/guests/{id}/updates", { path: { id } }), signal) }),
  jobs: queryOptions({
    queryKey: keys.jobs,
    queryFn: async ({ signal }) => (await send(call("get", "/api/v1/jobs", { query: { limit: 200 } }), signal)).items,
  }),
  job: (id: string) => queryOptions({ queryKey: keys.job(id), queryFn: ({ signal }) => send(call("get", "/api/v1/jobs/{id}", { path: { id } }), signal) }),
  jobTargets: (id: string) =>
    queryOptions({
      queryKey: keys.jobTargets(id),
      queryFn: async ({ signal }) => (await send(call("get", "/api/v1/jobs/{id}/targets", { path: { id } }), signal)).items,
    }),
};
