import { expect, openFleet, test } from "./watch";

test("six tabs share one event stream and a seventh page still loads", async ({ context }) => {
  const streams: string[] = [];
  context.on("request", (request) => request.url().includes("/api/v1/events") && streams.push(request.url()));
  const tabs = [];
  for (let index = 0; index < 6; index++) {
    const tab = await context.newPage();
    await openFleet(tab);
    await expect(tab.getByText(/^Live, /)).toBeVisible();
    tabs.push(tab);
  }
  expect(streams).toHaveLength(1);
  await tabs[0]!.close();
  await expect.poll(() => streams.length).toBe(2);
  expect(streams[1]).toMatch(/cursor=\d+/);
  await expect(tabs[5]!.getByText(/^Live, /)).toBeVisible();
});
