import { expect, openFleet, test } from "./watch";

const rowOf = (name: string) => `[role=row]:has(a:text-is("${name}"))`;

test("the tree shows clusters, nodes and guests with their levels", async ({ page }) => {
  await openFleet(page);
  const row = page.locator(rowOf("nextcloud"));
  await expect(row).toHaveAttribute("aria-level", "3");
  await expect(page.locator('[role=row][aria-level="1"]').first()).toHaveAttribute("aria-expanded", "true");
});

test("the keyboard alone walks, closes, opens, selects and opens a guest", async ({ page }) => {
  await openFleet(page);
  const first = page.locator('[role=row][aria-level="1"]').first();
  await first.focus();
  await page.keyboard.press("ArrowLeft");
  await expect(first).toHaveAttribute("aria-expanded", "false");
  await page.keyboard.press("ArrowRight");
  await expect(first).toHaveAttribute("aria-expanded", "true");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  const guest = page.locator("[role=row]:focus");
  await expect(guest).toHaveAttribute("aria-level", "3");
  await page.keyboard.press("Space");
  await expect(guest).toHaveAttribute("aria-selected", "true");
  await expect(page.getByRole("region", { name: "Selected guests" })).toBeVisible();
  const name = await guest.locator("a").textContent();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: name ?? "" })).toBeVisible();
});

test("Shift and the arrows select a range, Ctrl A selects all", async ({ page }) => {
  await openFleet(page, "?view=list");
  await page.locator("[role=row][data-row]").first().focus();
  await page.keyboard.press("Shift+ArrowDown");
  await page.keyboard.press("Shift+ArrowDown");
  await expect(page.locator('[role=row][aria-selected="true"]')).toHaveCount(3);
  await page.keyboard.press("Control+a");
  await expect(page.getByText(/\d+ guests selected/)).toBeVisible();
});

test("the filter narrows by words and tokens, keeps ancestors, and lives in the URL", async ({ page }) => {
  await openFleet(page);
  await page.keyboard.press("Tab");
  await page.getByRole("combobox", { name: "Filter guests" }).or(page.getByRole("textbox", { name: "Filter guests" })).fill("nextcloud");
  await expect(page.locator('[role=row][aria-level="3"]')).toHaveCount(1);
  await expect(page.locator('[role=row][aria-level="1"]')).toContainText(/1 of \d+/);
  await expect(page).toHaveURL(/q=nextcloud/);
  await page.reload();
  await expect(page.locator(rowOf("nextcloud"))).toBeVisible();
  await expect(page.locator('[role=row][aria-level="3"]')).toHaveCount(1);
});

test("a filter without a result says what to drop", async ({ page }) => {
  await page.goto("/fleet?q=nextcloud%20os:plan9");
  await expect(page.getByText("No guest matches.")).toBeVisible();
  await page.getByRole("button", { name: "Drop “os:plan9”" }).click();
  await expect(page.locator(rowOf("nextcloud"))).toBeVisible();
});

test("an action that is not possible is in the menu with its reason", async ({ page }) => {
  await openFleet(page, "?q=status:stopped");
  await page.locator('[role=row][aria-level="3"]').first().click({ button: "right" });
  const scan = page.getByRole("menuitem", { name: /^Scan/ });
  await expect(scan).toContainText(/stopped/i);
  await page.keyboard.press("Escape");
  await expect(page.getByRole("menu")).toHaveCount(0);
});

test("the bulk bar previews for whom an action is possible before it runs", async ({ page }) => {
  await openFleet(page);
  await page.getByRole("button", { name: /^Select pve1$/ }).click();
  const bar = page.getByRole("region", { name: "Selected guests" });
  await expect(bar.getByRole("button", { name: /^Scan \d+ of \d+/ })).toBeVisible();
  await expect(bar).toContainText(/leaves out/);
  await page.getByRole("button", { name: "Clear the selection" }).click();
  await expect(bar).toHaveCount(0);
});

test("nothing is lost at 320 px", async ({ page }) => {
  await page.setViewportSize({ width: 320, height: 720 });
  for (const path of ["/", "/fleet", "/jobs", "/settings/system", "/settings/clusters/add"]) {
    await page.goto(path);
    await expect(page.locator("h1")).toBeVisible();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
  }
});
