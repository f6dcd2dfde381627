import "./styles/base.css";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Announcer } from "./app/Announcer";
import { createCache } from "./app/cache";
import { createAppRouter } from "./app/router";
import { followSystemTheme } from "./app/theme";
import { Toasts } from "./parts/Toasts";

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no element #root");

const cache = createCache();
const router = createAppRouter(cache);
followSystemTheme();

createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={cache}>
      <RouterProvider router={router} />
      <Toasts />
      <Announcer />
    </QueryClientProvider>
  </StrictMode>,
);
