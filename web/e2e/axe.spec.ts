import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect, openFleet, test } from "./watch";

const pages = ["/", "/fleet", "/fleet?view=list", "/jobs", "/agents", "/audit", "/settings/clusters", "/settings/users", "/settings/tokens", "/settings/system", "/settings/clusters/add"];
const sizes = { desk: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } };

for (const theme of ["dark", "light"] as const) {
  for (const [size, viewport] of Object.entries(sizes)) {
    test.describe(`${theme}, ${size}`, () => {
      test.use({ colorScheme: theme, viewport });
      for (const path of pages) {
        test(`no violation on ${path}`, async ({ page }) => {
          await page.goto(path);
          await settled(page);
          await noViolation(page);
        });
      }
      test("no violation on a cluster, a node, a guest and the row menu", async ({ page }) => {
        await openFleet(page);
        await settled(page);
        const links = { cluster: firstLink(page, 1), node: firstLink(page, 2), guest: firstLink(page, 3) };
        const addresses = await Promise.all(Object.values(links).map((link) => link.getAttribute("href")));
        if (size === "desk") {
          await page.getByRole("row", { level: 3 } as never).first().click({ button: "right" });
          await expect(page.getByRole("menu")).toBeVisible();
          await noViolation(page);
        }
        for (const address of addresses) {
          await page.goto(address ?? "/");
          await settled(page);
          await noViolation(page);
        }
      });
    });
  }
}

function firstLink(page: Page, level: number) {
  return page.locator(`[role=row][aria-level="${level}"] a`).first();
}

/** Nothing is being loaded any more. */
async function settled(page: Page): Promise<void> {
  await expect(page.locator("h1")).toBeVisible();
  await expect(page.locator('[role=status][aria-label^="Loading"]')).toHaveCount(0);
}

async function noViolation(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]).analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 160)).join(" | ")}`)).toEqual([]);
}
