import { useSyncExternalStore } from "react";
import { readStored, writeStored } from "./stored";

export const themeChoices = ["system", "light", "dark"] as const;
export type ThemeChoice = (typeof themeChoices)[number];

/** theme-boot.js reads the same name before the first paint. */
const storedAs = "muster.theme";
const listeners = new Set<() => void>();
const systemIsLight = () => matchMedia("(prefers-color-scheme: light)");

export function useThemeChoice(): [ThemeChoice, (choice: ThemeChoice) => void] {
  const choice = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    chosenTheme,
  );
  return [choice, chooseTheme];
}

/** Keeps "system" true when the system changes between day and night while the page is open. */
export function followSystemTheme(): void {
  systemIsLight().addEventListener("change", paint);
}

function chosenTheme(): ThemeChoice {
  const stored = readStored(storedAs);
  return themeChoices.find((choice) => choice === stored) ?? "system";
}

function chooseTheme(choice: ThemeChoice): void {
  writeStored(storedAs, choice);
  paint();
  for (const listener of listeners) listener();
}

function paint(): void {
  const choice = chosenTheme();
  const light = choice === "light" || (choice === "system" && systemIsLight().matches);
  document.documentElement.dataset.theme = light ? "light" : "dark";
}
