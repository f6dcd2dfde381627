import { ensureUser } from "./api";
import { expect, openFleet, test } from "./watch";

test.use({ storageState: { cookies: [], origins: [] } });

test("a viewer signs in, sees everything, and of what is not allowed the reason", async ({ page }) => {
  const password = await ensureUser("vera", "viewer");
  await page.goto("/fleet?q=nextcloud");
  await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
  await page.getByLabel("Name").fill("vera");
  await page.getByLabel("Password").fill("something else");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("alert").filter({ hasText: /name or password is wrong/i })).toBeVisible();
  await page.getByLabel("Password").fill(password);
  await page.keyboard.press("Enter");

  // Back at the page that was asked for; what the role may never do is not there, the rest says why not.
  await expect(page).toHaveURL(/q=nextcloud/);
  await expect(page.getByText("vera, viewer")).toBeVisible();
  await expect(page.getByRole("button", { name: "Add cluster" })).toHaveCount(0);
  const reason = "This needs the role operator: an admin can give it.";
  await expect(page.getByRole("button", { name: "Discover now" })).toHaveAccessibleDescription(reason);
  await page.getByRole("button", { name: "Select nextcloud" }).click();
  const bar = page.getByRole("region", { name: "Selected guests" });
  await expect(bar.getByRole("button", { name: /^Scan/ })).toHaveAttribute("aria-disabled", "true");
  await expect(bar).toContainText(/needs the role operator/);
  await page.locator('[role=row][aria-level="3"]').click({ button: "right" });
  await expect(page.getByRole("menuitem", { name: /^Scan/ })).toContainText(reason);
  await page.keyboard.press("Escape");

  await page.goto("/settings/clusters/add");
  await expect(page.getByRole("dialog").getByText("This needs the role admin.")).toBeVisible();
  await page.goto("/settings/users");
  await expect(page.getByText(/needs the role admin/)).toBeVisible();
  await page.goto("/audit");
  await expect(page.getByRole("alert").filter({ hasText: /role admin/ })).toBeVisible();

  // The live link works for everybody.
  await openFleet(page);
  await expect(page.getByText(/^Live, /)).toBeVisible();
});
