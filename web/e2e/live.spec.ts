import type { BrowserContext, Page } from "@playwright/test";
import { api, clusterByName } from "./api";
import { expect, openFleet, test } from "./watch";

const isLive = (tab: Page) => expect(tab.getByText(/^Live, /)).toBeVisible();

/** The event streams that the browser opens: which tab, from where on. */
function watchStreams(context: BrowserContext): { tab: Page; url: string }[] {
  const streams: { tab: Page; url: string }[] = [];
  context.on("request", (request) => {
    if (request.url().includes("/api/v1/events")) streams.push({ tab: request.frame().page(), url: request.url() });
  });
  return streams;
}

async function show(tabs: readonly Page[], name: string): Promise<void> {
  for (const tab of tabs) await expect(tab.getByRole("link", { name, exact: true })).toBeVisible();
}

async function openTabs(context: BrowserContext, amount: number): Promise<Page[]> {
  const tabs: Page[] = [];
  for (let index = 0; index < amount; index++) {
    const tab = await context.newPage();
    await openFleet(tab);
    await isLive(tab);
    tabs.push(tab);
  }
  return tabs;
}

test("two tabs share one event stream, and the second goes on when the first is closed", async ({ context }) => {
  const streams = watchStreams(context);
  const [first, second] = await openTabs(context, 2);
  expect(streams).toHaveLength(1);
  await first!.close();
  await expect.poll(() => streams.length).toBe(2);
  expect(streams[1]!.url).toMatch(/cursor=\d+/);
  await isLive(second!);
});

test.describe("on plain HTTP away from localhost", () => {
  const address = new URL(process.env.BASE_URL ?? "http://127.0.0.1:8080");
  address.hostname = "muster.test";
  test.use({ baseURL: address.href });

  test("six tabs share one stream; another takes over when the leading one is closed or has crashed, and nothing is lost", async ({ context }) => {
    const session = (await context.cookies()).map(({ name, value }) => ({ name, value, url: address.href, httpOnly: true, sameSite: "Strict" as const }));
    await context.addCookies(session);
    const cluster = await clusterByName("Homelab Cluster 1");
    const rename = (name: string) => api("PATCH", `/proxmox/clusters/${cluster.id}`, { name });
    const streams = watchStreams(context);
    const tabs = await openTabs(context, 6);
    expect(await tabs[0]!.evaluate(() => [isSecureContext, "locks" in navigator])).toEqual([false, false]);
    expect(streams).toHaveLength(1);

    const afterClosing = tabs.filter((tab) => tab !== streams[0]!.tab);
    await streams[0]!.tab.close();
    await rename("Between leaders");
    await show(afterClosing, "Between leaders");
    expect(streams).toHaveLength(2);
    expect(streams[1]!.url).toMatch(/cursor=\d+/);

    const afterCrash = afterClosing.filter((tab) => tab !== streams[1]!.tab);
    await streams[1]!.tab.goto("chrome://crash").catch(() => undefined);
    await rename("Homelab Cluster 1");
    await show(afterCrash, "Homelab Cluster 1");
    expect(streams).toHaveLength(3);
    expect(streams[2]!.url).toMatch(/cursor=\d+/);
  });
});
