import type { Page } from "@playwright/test";
import { expect, test } from "./watch";
import { OwnServer } from "./server";
import { simulatedCluster } from "./simulator";

test.use({ storageState: { cookies: [], origins: [] } });

let server: OwnServer;
test.beforeAll(async () => {
  server = await OwnServer.start();
});
test.afterAll(() => server.remove());

const password = "a sentence that is long enough";

test("from the setup link to the first cluster; then the server dies, and the page keeps what it knows until it is back", async ({ page }) => {
  test.setTimeout(180_000);
  const cluster = simulatedCluster("homelab-3");
  await test.step("without the link nobody makes an account", async () => {
    await page.goto(`${server.url}/fleet`);
    await expect(page).toHaveURL(/\/setup$/);
    await expect(page.getByText(/Open the setup link/)).toBeVisible();
  });

  await test.step("the first account", async () => {
    await page.goto(server.setupLink());
    await page.getByLabel("Name").fill("anna");
    await page.getByLabel("Password").fill("short");
    await page.getByRole("button", { name: "Create the administrator" }).click();
    await expect(page.getByText(/12 characters/).last()).toBeVisible();
    await page.getByLabel("Password").fill(password);
    await page.keyboard.press("Enter");
    await expect(page.getByRole("heading", { name: "Add your first cluster." })).toBeVisible();
    await expect(page.getByText("No cluster yet")).toBeVisible();
    await expect(page.getByText("anna, admin")).toBeVisible();
  });

  await test.step("every other page says what it will show", async () => {
    for (const [path, sentence] of [["/jobs", "No job has run yet."], ["/agents", "No agent is installed yet."], ["/settings/clusters", "No cluster yet."]] as const) {
      await page.goto(`${server.url}${path}`);
      await expect(page.getByRole("heading", { name: sentence })).toBeVisible();
    }
  });

  await test.step("the first cluster, on the page itself", async () => {
    await page.goto(server.url);
    await page.getByLabel("Address of any node").fill(cluster.endpoints[0] ?? "");
    await page.getByLabel("Token ID").fill(cluster.token_id);
    await page.getByLabel("Token secret").fill(cluster.token_secret);
    await page.keyboard.press("Enter");
    await expect(page.getByRole("heading", { name: "Is this your server?" })).toBeVisible();
    await page.getByRole("button", { name: "It matches, pin it" }).click();
    await page.getByRole("button", { name: "Test the token" }).click();
    await page.getByRole("button", { name: "Save and discover" }).click();
    await expect(page.getByRole("heading", { name: /^Found \d+ nodes?/ })).toBeVisible();
    await page.getByRole("button", { name: "Open the fleet" }).click();
    await expect(page.locator('[role=row][aria-level="3"]').first()).toBeVisible();
    await expect(page.getByText("Live, 1 cluster answers")).toBeVisible();
  });

  await test.step("a killed server: the rows stay, the link says since when and when it is tried again", async () => {
    const guests = await page.locator('[role=row][aria-level="3"]').count();
    await server.kill();
    await expect(page.getByText(/^Live link lost, data from \d\d:\d\d/)).toBeVisible();
    expect(await page.locator('[role=row][aria-level="3"]').count()).toBe(guests);
    await page.getByRole("button", { name: "Discover now" }).click();
    await expect(page.getByRole("alert").filter({ hasText: "Muster does not answer" })).toBeVisible();
    const resumed = page.waitForRequest(/\/api\/v1\/events\?cursor=\d+$/);
    await server.run();
    await rename(page, server.url, "Renamed meanwhile");
    await resumed;
    await expect(page.getByRole("link", { name: "Renamed meanwhile" })).toBeVisible({ timeout: 60_000 });
    await expect(page.getByText("Live, 1 cluster answers")).toBeVisible({ timeout: 60_000 });
  });

  await test.step("a session that ended in the middle: sign in again, and be where you were", async () => {
    await page.goto(`${server.url}/fleet?q=kind%3Alxc&view=list`);
    await expect(page.locator("[role=row][data-row]").first()).toBeVisible();
    await page.context().clearCookies();
    await page.getByRole("button", { name: "Discover now" }).click();
    await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
    await expect(page.getByText(/session has ended/)).toBeVisible();
    await page.getByLabel("Name").fill("anna");
    await page.getByLabel("Password").fill(password);
    await page.keyboard.press("Enter");
    await expect(page).toHaveURL(/\/fleet\?.*q=kind/);
    await expect(page.locator("[role=row][data-row]").first()).toBeVisible();
  });
});

/** Gives the one cluster another name, with the page's session but not from the page. */
async function rename(page: Page, url: string, name: string): Promise<void> {
  const clusters = `${url}/api/v1/proxmox/clusters`;
  // A server that starts answers some calls before it is the active one.
  await expect.poll(async () => (await page.request.get(clusters)).status(), { timeout: 60_000 }).toBe(200);
  const { items } = (await (await page.request.get(clusters)).json()) as { items: { id: string }[] };
  const answer = await page.request.patch(`${clusters}/${items[0]?.id}`, { headers: { Origin: url }, data: { name } });
  expect(answer.ok()).toBe(true);
}
