import { defineConfig } from "@playwright/test";

/**
 * The browser tests run against a real server with the simulator behind it (see scripts/e2e.mjs at the root).
 * BASE_URL is that server, SIGN_IN_LINK a link that signs in once, CHROMIUM the browser to use.
 */
export default defineConfig({
  testDir: "e2e",
  timeout: 60_000,
  expect: { timeout: 15_000 },
  fullyParallel: false,
  workers: 1,
  retries: 0,
  reporter: [["list"]],
  use: {
    baseURL: process.env.BASE_URL ?? "http://127.0.0.1:8080",
    trace: "retain-on-failure",
    screenshot: "only-on-failure",
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        // A name that is not localhost: over plain HTTP the browser takes some of its features away there.
        "--host-resolver-rules=MAP muster.test 127.0.0.1",
      ],
    },
  },
  outputDir: "e2e/results",
  projects: [
    { name: "sign in", testMatch: "sign-in.setup.ts" },
    { name: "signed in", testMatch: "*.spec.ts", dependencies: ["sign in"], use: { storageState: "e2e/.session.json" } },
  ],
});
