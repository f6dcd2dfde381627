import { expect, openFleet, test } from "./watch";

test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

test("on a phone a long press selects, taps add, and the sheet says what would happen before it does", async ({ page }) => {
  await openFleet(page);
  const rows = page.locator('[role=row][aria-level="3"]');
  const touch = await page.context().newCDPSession(page);
  const box = (await rows.nth(1).boundingBox())!;
  const touchPoints = [{ x: box.x + box.width / 2, y: box.y + box.height / 2 }];
  await touch.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints });
  await expect(rows.nth(1)).toHaveAttribute("aria-selected", "true");
  await touch.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
  // The press itself opened neither the guest nor a menu.
  await expect(page.getByRole("menu")).toHaveCount(0);
  await expect(page).toHaveURL(/\/fleet$/);

  await rows.nth(3).getByRole("button", { name: /^Select / }).tap();
  const sheet = page.getByRole("region", { name: "Selected guests" });
  await expect(sheet).toContainText("2 guests selected");
  await expect(sheet.getByRole("button", { name: /^Scan/ })).toBeVisible();
  for (const button of await sheet.getByRole("button").all()) expect((await button.boundingBox())!.height).toBeGreaterThanOrEqual(44);
  const bar = (await page.getByRole("navigation", { name: "Main" }).boundingBox())!;
  const over = (await sheet.boundingBox())!;
  expect(over.y + over.height).toBeLessThanOrEqual(bar.y);
  await sheet.getByRole("button", { name: "Clear the selection" }).tap();
  await expect(sheet).toHaveCount(0);
});

test("on a phone everything is within reach of the bar at the bottom", async ({ page }) => {
  await page.goto("/");
  await page.getByRole("navigation", { name: "Main" }).getByRole("button", { name: "More" }).tap();
  await page.getByRole("dialog").getByRole("link", { name: "Settings" }).tap();
  await expect(page.getByRole("heading", { level: 1, name: "Settings" })).toBeVisible();
  await page.getByRole("link", { name: "Fleet" }).tap();
  await page.locator('[role=row][aria-level="3"] a').first().tap();
  await expect(page.getByRole("navigation", { name: "Breadcrumb" })).toBeVisible();
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
});
