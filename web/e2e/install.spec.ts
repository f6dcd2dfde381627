import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, openFleet, test } from "./watch";

const { SIM, SIM_STATE } = process.env;
const run = promisify(execFile);

/** Runs one line in the root shell of a simulated node, as an administrator would paste it there. */
async function onNode(cluster: string, node: string, line: string): Promise<void> {
  await run(SIM ?? "", ["ctl", "--state", SIM_STATE ?? "", "node", "shell", "--cluster", cluster, "--node", node, "--", line], { timeout: 90_000 });
}

test("an agent comes in by one pasted line, checks in live, scans, and its updates are listed with their evidence", async ({ page }) => {
  if (!SIM || !SIM_STATE) throw new Error("SIM and SIM_STATE name no simulator");
  test.setTimeout(180_000);
  await openFleet(page, "?q=nextcloud");
  await page.getByRole("button", { name: "Select nextcloud" }).click();
  await page.getByRole("region", { name: "Selected guests" }).getByRole("button", { name: /^Install agent/ }).click();

  const dialog = page.getByRole("dialog");
  // Before anything is done it is said how the agent would get in; this console shows a login, so a person is needed.
  await expect(dialog.getByRole("radio", { name: "Leave it: paste a line" })).toBeChecked();
  await dialog.getByRole("button", { name: "Install agent" }).click();
  await expect(dialog.getByRole("heading", { name: "Paste one line to install the agent" })).toBeVisible();
  await expect(dialog.getByText("0 of 1 guest checked in")).toBeVisible();
  const line = await dialog.locator("pre").first().textContent();
  await onNode("homelab-1", "pve2", line ?? "");
  await expect(dialog.getByRole("heading", { name: "The agent is online" })).toBeVisible({ timeout: 60_000 });
  await dialog.getByRole("button", { name: "Done" }).click();

  const row = page.locator('[role=row]:has(a:text-is("nextcloud"))');
  await expect(row).toContainText("online");
  await row.getByRole("link", { name: "nextcloud" }).click();
  await page.getByRole("button", { name: "Scan", exact: true }).click();

  // The job's page follows it to its end, with the log beside the guests.
  await expect(page).toHaveURL(/\/jobs\//);
  await expect(page.getByRole("banner").or(page.locator("main")).getByText(/^succeeded/).first()).toBeVisible({ timeout: 60_000 });
  await expect(page.getByRole("log").locator("time").first()).toBeVisible();

  await page.goto("/fleet?q=nextcloud");
  await expect(row).not.toContainText("never scanned");
  await row.getByRole("link", { name: "nextcloud" }).click();
  await expect(page.getByText("never scanned")).toHaveCount(0);
  await expect(page.getByRole("table").or(page.getByText("Nothing waits.")).first()).toBeVisible();
});
