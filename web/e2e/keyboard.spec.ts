import { ensureUser } from "./api";
import { expect, test } from "./watch";

test.use({ storageState: { cookies: [], origins: [] } });

test("the keyboard alone: sign in, find a guest, look before scanning it, follow the job, come back", async ({ page }) => {
  const password = await ensureUser("otto", "operator");
  const press = (...keys: string[]) => keys.reduce((before, key) => before.then(() => page.keyboard.press(key)), Promise.resolve());
  await page.goto("/sign-in");
  await expect(page.getByLabel("Name")).toBeFocused();
  await page.keyboard.type("otto");
  await press("Tab");
  await page.keyboard.type(password);
  await press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "Updates" })).toBeVisible();

  await press("g", "f");
  const row = page.locator('[role=row]:has(a:text-is("mariadb"))');
  await expect(row).toBeVisible();
  await page.locator('[role=row][tabindex="0"]').focus();
  await press("/");
  await expect(page.getByLabel("Filter guests")).toBeFocused();
  await page.keyboard.type("mariadb");
  await expect(page.locator('[role=row][aria-level="3"]')).toHaveCount(1);
  // Down leads from the filter into the rows.
  await press("ArrowDown", "End");
  await expect(row).toBeFocused();

  // A letter shows what it would do, with the focus on the button that does it.
  await press("s");
  const bar = page.getByRole("region", { name: "Selected guests" });
  await expect(bar.getByRole("button", { name: /^Scan/ })).toBeFocused();
  await expect(bar).toContainText(/Scan: /);
  await press("Escape");
  await expect(bar).toHaveCount(0);
  await expect(row).toBeFocused();

  await press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "mariadb" })).toBeVisible();
  await press("Control+k");
  await expect(page.getByRole("combobox", { name: "Find or run" })).toBeFocused();
  await page.keyboard.type("jobs");
  await expect(page.getByRole("option").first()).toContainText("Jobs");
  await press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "Jobs" })).toBeVisible();
  await press("?");
  await expect(page.getByRole("dialog", { name: "Keys" })).toBeVisible();
  await press("Escape");
  await press("g", "u");
  await expect(page.getByRole("heading", { level: 1, name: "Updates" })).toBeVisible();
});
