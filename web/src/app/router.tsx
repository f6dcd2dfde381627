import type { QueryClient } from "@tanstack/react-query";
import { createRootRouteWithContext, createRoute, createRouter, lazyRouteComponent, Outlet, redirect } from "@tanstack/react-router";
import { queries } from "../api/queries";
import { type ClusterTab, clusterTabs } from "../clusters/tabs";
import { type Show, shows } from "../fleet/filter";
import { type Sort, sorts } from "../fleet/sort";
import { type JobShow, jobShows } from "../jobs/show";
import { type Grouping, groupings } from "../updates/tabs";
import { ErrorPage, NotFoundPage } from "./ErrorPage";
import { oneOf, text } from "./search";
import { Shell } from "./Shell";

type Search = Record<string, unknown>;

const root = createRootRouteWithContext<{ cache: QueryClient }>()({ component: Outlet, errorComponent: ErrorPage, notFoundComponent: NotFoundPage });

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  validateSearch: (search: Search): { next?: string; link?: string; ended?: true } => ({ next: text(search.next), link: text(search.link), ended: search.ended === true ? true : undefined }),
  component: lazyRouteComponent(() => import("../accounts/SignInPage"), "SignInPage"),
});

const setup = createRoute({
  getParentRoute: () => root,
  path: "/setup",
  validateSearch: (search: Search): { token?: string } => ({ token: text(search.token) }),
  component: lazyRouteComponent(() => import("../accounts/SetupPage"), "SetupPage"),
});

/** Everything behind the sign-in. */
const shell = createRoute({
  getParentRoute: () => root,
  id: "shell",
  beforeLoad: async ({ context, location }) => {
    const session = await context.cache.ensureQueryData(queries.session);
    if (session.setup_needed) throw redirect({ to: "/setup"});
    if (!session.user) throw redirect({ to: "/sign-in", search: { next: location.href === "/" ? undefined : location.href } });
  },
  component: Shell,
});

const updates = createRoute({
  getParentRoute: () => shell,
  path: "/",
  validateSearch: (search: Search): { by?: Grouping } => ({ by: oneOf(search.by, groupings) }),
  component: lazyRouteComponent(() => import("../updates/UpdatesPage"), "UpdatesPage"),
});

const fleet = createRoute({
  getParentRoute: () => shell,
  path: "/fleet",
  validateSearch: (search: Search): { view?: "list"; q?: string; show?: Show; sort?: Sort; open?: string; closed?: string; select?: "all" } => ({
    view: oneOf(search.view, ["list"]),
    q: text(search.q),
    show: oneOf(search.show, shows),
    sort: oneOf(search.sort, sorts),
    open: text(search.open),
    closed: text(search.closed),
    select: oneOf(search.select, ["all"]),
  }),
  component: lazyRouteComponent(() => import("../fleet/FleetPage"), "FleetPage"),
});

const cluster = createRoute({
  getParentRoute: () => shell,
  path: "/fleet/$cluster",
  validateSearch: (search: Search): { tab?: ClusterTab } => ({ tab: oneOf(search.tab, clusterTabs) }),
  component: lazyRouteComponent(() => import("../clusters/ClusterPage"), "ClusterPage"),
});

const node = createRoute({
  getParentRoute: () => shell,
  path: "/fleet/$cluster/nodes/$node",
  component: lazyRouteComponent(() => import("../nodes/NodePage"), "NodePage"),
});

const guest = createRoute({
  getParentRoute: () => shell,
  path: "/fleet/$cluster/guests/$vmid",
  component: lazyRouteComponent(() => import("../guests/GuestPage"), "GuestPage"),
});

/** A guest by its id alone, as jobs and audit entries know it. */
const guestById = createRoute({
  getParentRoute: () => shell,
  path: "/guests/$id",
  beforeLoad: async ({ context, params }) => {
    const { cluster, vmid } = await context.cache.ensureQueryData(queries.guest(params.id));
    throw redirect({ to: "/fleet/$cluster/guests/$vmid", params: { cluster, vmid: String(vmid) }, replace: true });
  },
});

const jobs = createRoute({
  getParentRoute: () => shell,
  path: "/jobs",
  validateSearch: (search: Search): { show?: JobShow } => ({ show: oneOf(search.show, jobShows) }),
  component: lazyRouteComponent(() => import("../jobs/JobsPage"), "JobsPage"),
});

const job = createRoute({
  getParentRoute: () => shell,
  path: "/jobs/$job",
  validateSearch: (search: Search): { target?: string } => ({ target: text(search.target) }),
  component: lazyRouteComponent(() => import("../jobs/JobPage"), "JobPage"),
});

const agents = createRoute({
  getParentRoute: () => shell,
  path: "/agents",
  component: lazyRouteComponent(() => import("../agents/AgentsPage"), "AgentsPage"),
});

const audit = createRoute({
  getParentRoute: () => shell,
  path: "/audit",
  component: lazyRouteComponent(() => import("../audit/AuditPage"), "AuditPage"),
});

const settings = createRoute({
  getParentRoute: () => shell,
  path: "/settings",
  beforeLoad: ({ location }) => {
    if (location.pathname === "/settings") throw redirect({ to: "/settings/clusters" });
  },
  component: lazyRouteComponent(() => import("../settings/SettingsPage"), "SettingsPage"),
});

const settingsClusters = createRoute({
  getParentRoute: () => settings,
  path: "/clusters",
  component: lazyRouteComponent(() => import("../settings/ClustersSection"), "ClustersSection"),
});

const addCluster = createRoute({
  getParentRoute: () => settingsClusters,
  path: "/add",
  component: lazyRouteComponent(() => import("../clusters/add/AddClusterDialog"), "AddClusterDialog"),
});

const settingsUsers = createRoute({
  getParentRoute: () => settings,
  path: "/users",
  component: lazyRouteComponent(() => import("../settings/UsersSection"), "UsersSection"),
});

const settingsTokens = createRoute({
  getParentRoute: () => settings,
  path: "/tokens",
  component: lazyRouteComponent(() => import("../settings/TokensSection"), "TokensSection"),
});

const settingsSystem = createRoute({
  getParentRoute: () => settings,
  path: "/system",
  component: lazyRouteComponent(() => import("../settings/SystemSection"), "SystemSection"),
});

/** Whatever else stands in the address: the navigation stays, so that one finds out again. */
const nowhere = createRoute({ getParentRoute: () => shell, path: "$", component: NotFoundPage });

const routeTree = root.addChildren([
  signIn,
  setup,
  shell.addChildren([
    updates,
    fleet,
    cluster,
    node,
    guest,
    guestById,
    jobs,
    job,
    agents,
    audit,
    settings.addChildren([settingsClusters.addChildren([addCluster]), settingsUsers, settingsTokens, settingsSystem]),
    nowhere,
  ]),
]);

export function createAppRouter(cache: QueryClient) {
  return createRouter({ routeTree, context: { cache }, defaultPreload: "intent", defaultErrorComponent: ErrorPage, scrollRestoration: false });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
