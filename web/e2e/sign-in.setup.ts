import { expect, test } from "@playwright/test";

test("the one-time link signs in", async ({ page }) => {
  const link = process.env.SIGN_IN_LINK;
  if (!link) throw new Error("SIGN_IN_LINK names the one-time link of the running server");
  await page.goto(link);
  await expect(page.getByRole("navigation", { name: "Main" })).toBeVisible();
  await page.context().storageState({ path: "e2e/.session.json" });
});
