import { EventEmitter, once } from "node:events";
import type { Page } from "@playwright/test";
import { expect, openFleet, test } from "./watch";

const missing = "01900000-0000-7000-8000-000000000000";

test("addresses that lead nowhere say so and where to go", async ({ page }) => {
  for (const [path, sentence] of [
    ["/nowhere", "There is nothing here"],
    [`/fleet/${missing}`, "This cluster is not in Muster."],
    [`/fleet/${missing}/guests/100`, "There is nothing here"],
    [`/jobs/${missing}`, "This job is no longer kept."],
    [`/guests/${missing}`, "There is nothing here"],
  ] as const) {
    await page.goto(path);
    await expect(page.getByRole("heading", { name: sentence }), path).toBeVisible();
    await expect(page.getByRole("navigation", { name: "Main" }), path).toBeVisible();
  }
});

test("a guest that its cluster does not have is said at the place where it would be", async ({ page }) => {
  await openFleet(page);
  const cluster = await page.locator('[role=row][aria-level="1"] a').first().getAttribute("href");
  await page.goto(`${cluster}/guests/999999`);
  await expect(page.getByText("This guest is not in the cluster.")).toBeVisible();
  await page.goto(`${cluster}/nodes/nowhere`);
  await expect(page.getByRole("heading", { name: /not in/ })).toBeVisible();
});

test("an answer 500 is shown in the place of the data, with its request, and tried again on demand", async ({ page }) => {
  const failing = await failJobs(page, (route) => route.fulfill({ status: 500, contentType: "application/problem+json", body: JSON.stringify({ code: "internal", title: "Something broke inside", detail: "The log has it.", status: 500, request_id: "req-17" }) }));
  await page.goto("/jobs");
  const note = page.getByRole("alert").filter({ hasText: "Something broke inside" });
  await expect(note).toContainText("The log has it.");
  await expect(note.getByRole("button", { name: "Request req-17" })).toBeVisible();
  await failing.stop();
  await note.getByRole("button", { name: "Try again" }).click();
  await expect(note).toHaveCount(0);
  await expect(page.getByRole("table").or(page.getByText("No job has run yet."))).toBeVisible();
});

test("no answer at all is said as such, also when a proxy answers with a page of its own", async ({ page }) => {
  const away = await failJobs(page, (route) => route.abort("connectionrefused"));
  await page.goto("/jobs");
  await expect(page.getByRole("alert").filter({ hasText: "Muster does not answer" })).toBeVisible();
  await away.stop();
  const proxy = await failJobs(page, (route) => route.fulfill({ status: 404, contentType: "text/html", body: "<h1>nginx</h1>" }));
  await page.reload();
  await expect(page.getByRole("alert").filter({ hasText: "The server answered 404" })).toBeVisible();
  await proxy.stop();
});

test("a slow answer shows the page's shape first, and nothing moves when it comes", async ({ page }) => {
  const gate = new EventEmitter();
  const opened = once(gate, "open");
  await page.route("**/api/v1/proxmox/clusters", async (route) => {
    await opened;
    await route.continue();
  });
  await page.goto("/fleet");
  await expect(page.getByRole("status", { name: "Loading: Fleet" })).toBeVisible();
  const heading = page.getByRole("heading", { level: 1, name: "Fleet" });
  const before = await heading.boundingBox();
  gate.emit("open");
  await expect(page.locator('[role=row][aria-level="1"]').first()).toBeVisible();
  expect(await heading.boundingBox()).toEqual(before);
});

/** Answers every call for jobs with a failure until it is stopped. */
async function failJobs(page: Page, answer: Parameters<Page["route"]>[1]): Promise<{ stop: () => Promise<void> }> {
  const calls = /\/api\/v1\/jobs\?/;
  await page.route(calls, answer);
  return { stop: () => page.unroute(calls, answer) };
}
