import { useSyncExternalStore } from "react";
import { Problem } from "../api/problem";

export interface Toast {
  readonly id: number;
  readonly kind: "info" | "bad";
  readonly text: string;
  readonly action?: { readonly label: string; readonly run: () => void };
}

let toasts: readonly Toast[] = [];
let lastId = 0;
const listeners = new Set<() => void>();

/** Says something that is not visible on the page. An error stays until it is closed. */
export function toast(text: string, options: Partial<Pick<Toast, "kind" | "action">> = {}): void {
  lastId += 1;
  publish([...toasts.slice(-2), { id: lastId, kind: "info", text, ...options }]);
}

/** Shows a failed call that has no place of its own on the page. */
export function toastProblem(error: unknown): void {
  const problem = Problem.of(error);
  const text = problem.title === problem.message ? problem.title : `${problem.title}. ${problem.message}`;
  toast(text, { kind: "bad" });
}

export function closeToast(id: number): void {
  publish(toasts.filter((each) => each.id !== id));
}

export function useToasts(): readonly Toast[] {
  return useSyncExternalStore(subscribe, () => toasts);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function publish(next: readonly Toast[]): void {
  toasts = next;
  for (const listener of listeners) listener();
}
