import { expect, openFleet, test } from "./watch";

test("what is open, filtered and sorted stands in the address: a reload, the back button and a shared link keep it", async ({ page, context }) => {
  await openFleet(page);
  const node = page.locator('[role=row][aria-level="2"]').first();
  const guests = page.locator('[role=row][aria-level="3"]');
  const all = await guests.count();
  await node.getByRole("button", { name: /^Close / }).click();
  await expect(node).toHaveAttribute("aria-expanded", "false");
  await page.getByRole("columnheader", { name: "Updates" }).getByRole("button").click();
  await expect(page).toHaveURL(/closed=.*sort=-updates|sort=-updates.*closed=/);
  await page.reload();
  await expect(node).toHaveAttribute("aria-expanded", "false");
  expect(await guests.count()).toBeLessThan(all);
  await expect(page.getByRole("columnheader", { name: "Updates" })).toHaveAttribute("aria-sort", "descending");

  // Turning rows and sorting are no steps back; opening a guest is one.
  await guests.first().getByRole("link").click();
  await expect(page.getByRole("navigation", { name: "Breadcrumb" })).toBeVisible();
  await page.goBack();
  await expect(node).toHaveAttribute("aria-expanded", "false");

  const shared = await context.newPage();
  await shared.goto(page.url());
  await expect(shared.locator('[role=row][aria-level="2"]').first()).toHaveAttribute("aria-expanded", "false");

  // Somebody who comes back by the navigation finds the rows as they were.
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: /^Jobs/ }).click();
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: /^Fleet/ }).click();
  await expect(node).toHaveAttribute("aria-expanded", "false");
  await node.getByRole("button", { name: /^Open / }).click();
  await expect(page).not.toHaveURL(/closed=/);
});

test("the list is sorted by its heads, what is not known last", async ({ page }) => {
  await openFleet(page, "?view=list");
  const names = () => page.locator("[role=row][data-row] a").allTextContents();
  const head = page.getByRole("columnheader", { name: "Name" }).getByRole("button");
  await head.click();
  await head.click();
  await expect(page).toHaveURL(/sort=-name/);
  const shown = await names();
  expect(shown).toEqual(shown.toSorted((a, b) => b.localeCompare(a, "en", { numeric: true })));
  await page.getByRole("columnheader", { name: "Updates" }).getByRole("button").click();
  await expect(page.locator("[role=row][data-row]").last()).toContainText(/never scanned|not supported/);
});

test("the tab of the updates page stands in the address", async ({ page }) => {
  await page.goto("/");
  await page.getByRole("tab", { name: /^Not known/ }).click();
  await expect(page).toHaveURL(/by=unknown/);
  // A guest of which nothing is known says why, and what would help.
  const row = page.getByRole("row", { name: /ubuntu-dev/ });
  await expect(row).toContainText("never scanned");
  await expect(row).toContainText(/stopped/);
  await page.reload();
  await expect(page.getByRole("tab", { name: /^Not known/ })).toHaveAttribute("aria-selected", "true");
  await row.getByRole("link").click();
  await expect(page.getByRole("heading", { level: 1, name: "ubuntu-dev" })).toBeVisible();
  await page.goBack();
  await expect(page.getByRole("tab", { name: /^Not known/ })).toHaveAttribute("aria-selected", "true");
});
