import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { api, clusterByName } from "./api";
import { expect, openFleet, test } from "./watch";

const pages = ["/", "/?by=unknown", "/fleet", "/fleet?view=list", "/jobs", "/agents", "/audit", "/nowhere", "/settings/clusters", "/settings/users", "/settings/tokens", "/settings/system", "/settings/clusters/add"];
/** Each page is looked at twice: colours do not depend on the size, nor the structure on the theme. */
const looks = { desk: { viewport: { width: 1440, height: 900 }, colorScheme: "dark" }, phone: { viewport: { width: 390, height: 844 }, colorScheme: "light" } } as const;

test.describe.configure({ timeout: 120_000 });

for (const path of pages) {
  test(`no violation on ${path}, on a desk in the dark and on a phone in the light`, async ({ page }) => {
    await page.goto(path);
    await settled(page);
    await noViolation(page, "desk", "phone");
  });
}

test("no violation on a cluster and its tabs, a node, a guest, a job, the row menu and the palette", async ({ page }) => {
  await openFleet(page);
  await settled(page);
  const addresses = await Promise.all([1, 2, 3].map((level) => page.locator(`[role=row][aria-level="${level}"] a`).first().getAttribute("href")));
  await page.locator('[role=row][aria-level="3"]').first().click({ button: "right" });
  await expect(page.getByRole("menu")).toBeVisible();
  await noViolation(page, "desk");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+k");
  await expect(page.getByRole("combobox", { name: "Find or run" })).toBeVisible();
  await noViolation(page, "desk");
  const cluster = await clusterByName("Homelab Cluster 1");
  const { job } = await api<{ job: { id: string } }>("POST", `/proxmox/clusters/${cluster.id}/discover`);
  for (const address of [...addresses, `${addresses[0]}?tab=certificate`, `${addresses[0]}?tab=discovery`, `${addresses[0]}?tab=settings`, `/jobs/${job.id}`]) {
    await page.goto(address ?? "/");
    await settled(page);
    await noViolation(page, "desk", "phone");
  }
});

test.describe("before the sign-in", () => {
  test.use({ storageState: { cookies: [], origins: [] } });
  test("no violation on the sign-in", async ({ page }) => {
    await page.goto("/sign-in");
    await settled(page);
    await noViolation(page, "desk", "phone");
  });
});

/** Nothing is being loaded any more. */
async function settled(page: Page): Promise<void> {
  await expect(page.locator("h1")).toBeVisible();
  await expect(page.locator('[role=status][aria-label^="Loading"]')).toHaveCount(0);
}

async function noViolation(page: Page, ...names: readonly (keyof typeof looks)[]): Promise<void> {
  for (const name of names) {
    const { viewport, colorScheme } = looks[name];
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme });
    await expect(page.locator("html")).toHaveAttribute("data-theme", colorScheme);
    const { violations } = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]).analyze();
    const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 160)).join(" | ")}`);
    expect(found, `${name}, ${colorScheme}`).toEqual([]);
  }
}
