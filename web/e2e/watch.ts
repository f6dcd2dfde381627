import { expect, type Page, test as base } from "@playwright/test";

/** Every test also fails on an uncaught error and on anything that the content security policy refused. */
export const test = base.extend<{ watched: string[] }>({
  watched: [
    async ({ context }, use) => {
      const complaints: string[] = [];
      const watch = (page: Page) => {
        page.on("pageerror", (error) => complaints.push(String(error)));
        page.on("console", (message) => {
          if (message.type() === "error" && /Content Security Policy|Uncaught|React/.test(message.text())) complaints.push(message.text());
        });
      };
      context.on("page", watch);
      for (const page of context.pages()) watch(page);
      await use(complaints);
      expect(complaints).toEqual([]);
    },
    { auto: true },
  ],
});

export { expect };

/** The fleet page with its rows there. */
export async function openFleet(page: Page, search = ""): Promise<void> {
  await page.goto(`/fleet${search}`);
  await expect(page.getByRole("treegrid")).toBeVisible();
  await expect(page.getByRole("row").nth(1)).toBeVisible();
}
