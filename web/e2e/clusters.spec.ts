import { simulatedCluster } from "./simulator";
import { expect, test } from "./watch";

/** The cluster that the scenario leaves for somebody to add. */
const free = simulatedCluster("homelab-3");

test("a cluster is added by keyboard and paste: certificate, token, rights, discovery; then renamed, paused and removed", async ({ page }) => {
  await page.goto("/settings/clusters/add");
  await page.getByLabel("Address of any node").fill(free.endpoints[0] ?? "");
  await page.keyboard.press("Enter");

  // The certificate shows the fingerprint that the simulator says it has, before any token is asked for.
  await expect(page.getByRole("heading", { name: "Is this your server?" })).toBeVisible();
  const shown = (await page.locator("dialog code, [role=dialog] code").first().textContent())?.replaceAll(/[^0-9A-F]/g, "");
  expect(shown).toBe(free.fingerprint.replaceAll(":", ""));
  await page.getByRole("button", { name: "It matches, pin it" }).click();

  await page.getByLabel("Name in Muster").fill("Third");
  await page.getByLabel("Token ID").fill(free.token_id);
  await page.getByLabel("Token secret").fill("00000000-0000-4000-8000-000000000000");
  await page.getByRole("button", { name: "Test the token" }).click();
  await expect(page.getByRole("dialog").getByRole("alert")).toBeVisible();

  await page.getByLabel("Token secret").fill(free.token_secret);
  await page.getByRole("button", { name: "Test the token" }).click();
  await expect(page.getByRole("heading", { name: /^The token works/ })).toBeVisible();
  await expect(page.getByText(/^Found \d+ nodes?, \d+ LXCs?, \d+ VMs?$/)).toBeVisible();
  await page.getByRole("button", { name: "Save and discover" }).click();
  await page.getByRole("button", { name: "Open the fleet" }).click();

  // It is there without a reload, and found by its name.
  await expect(page.getByText(/^3 clusters, \d+ nodes, \d+ guests$/)).toBeVisible();
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Find or run" }).fill("Third");
  await expect(page.getByRole("option", { name: /Third/ })).toBeVisible();
  await page.keyboard.press("Enter");
  await page.getByRole("tab", { name: "Rights" }).click();
  await expect(page.getByRole("heading", { name: /^The token works/ })).toBeVisible();
  await page.getByRole("tab", { name: "Discovery log" }).click();
  await expect(page.getByText("after adding")).toBeVisible();

  await page.getByRole("tab", { name: "Settings" }).click();
  await page.getByLabel("Name", { exact: true }).fill("Third one");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Third one" })).toBeVisible();
  await page.getByRole("button", { name: "Pause", exact: true }).click();
  await expect(page.getByRole("button", { name: "Resume" })).toBeVisible();

  await page.getByRole("button", { name: "Remove cluster…" }).click();
  const question = page.getByRole("dialog", { name: "Remove Third one from Muster?" });
  await expect(question).toContainText(/Muster forgets \d+ guests?/);
  await question.getByLabel("Type Third one to remove it").fill("Third one");
  await question.getByRole("button", { name: "Remove the cluster" }).click();
  await expect(page).toHaveURL(/\/settings\/clusters$/);
  await expect(page.getByText("Third one")).toHaveCount(0);
});

test("an address at which nothing answers is said at the field", async ({ page }) => {
  await page.goto("/settings/clusters/add");
  await page.getByLabel("Address of any node").fill("https://127.0.0.1:1");
  await page.getByRole("button", { name: "Check the connection" }).click();
  await expect(page.getByRole("dialog").getByText(/refused|answer|reach/i).first()).toBeVisible();
  await expect(page.getByLabel("Address of any node")).toHaveValue("https://127.0.0.1:1");
});
