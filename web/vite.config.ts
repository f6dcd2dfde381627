import { readFileSync } from "node:fs";
import { join } from "node:path";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

/** The server that `npm run dev` forwards API calls to. */
const backend = process.env.MUSTER_URL ?? "http://127.0.0.1:8080";

const proxy = Object.fromEntries(["/api", "/install", "/agent/", "/healthz", "/metrics"].map((path) => [path, backend]));

/**
 * Puts the theme on the page before anything is painted: a classic script, hashed and loaded
 * blocking, because the content security policy refuses inline scripts and a module would run too late.
 */
function themeScript(): Plugin {
  const source = "src/app/theme-boot.js";
  let dev = false;
  return {
    name: "muster-theme-script",
    configResolved: (config) => {
      dev = config.command === "serve";
    },
    generateBundle() {
      this.emitFile({ type: "asset", name: "theme.js", source: readFileSync(join(import.meta.dirname, source), "utf8") });
    },
    transformIndexHtml: {
      order: "post",
      handler: (_html, context) => {
        const built = Object.keys(context.bundle ?? {}).find((name) => /theme-[^/]+\.js$/.test(name));
        const src = dev ? `/${source}` : `/${built}`;
        return [{ tag: "script", attrs: { src }, injectTo: "head-prepend" }];
      },
    },
  };
}

export default defineConfig({
  plugins: [react(), themeScript()],
  server: { host: "127.0.0.1", proxy },
  preview: { host: "127.0.0.1", proxy },
  build: {
    target: "es2023",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  test: {
    environment: "node",
    include: ["src/**/*.test.{ts,tsx}"],
  },
});
