/** What a key means while a row of a tree-table has the focus. */
export type GridCommand =
  | { readonly kind: "move"; readonly to: "by" | "first" | "last"; readonly by: number }
  | { readonly kind: "extend"; readonly by: number }
  | { readonly kind: "parent" }
  | { readonly kind: "child" }
  | { readonly kind: "toggle" }
  | { readonly kind: "select" }
  | { readonly kind: "selectAll" }
  | { readonly kind: "open" }
  | { readonly kind: "menu" }
  | { readonly kind: "problem"; readonly by: 1 | -1 }
  | { readonly kind: "letter"; readonly letter: string };

type KeyPress = Pick<KeyboardEvent, "key" | "shiftKey" | "ctrlKey" | "metaKey" | "altKey">;

const page = 15;
const plain: Record<string, GridCommand> = {
  ArrowDown: { kind: "move", to: "by", by: 1 },
  j: { kind: "move", to: "by", by: 1 },
  ArrowUp: { kind: "move", to: "by", by: -1 },
  k: { kind: "move", to: "by", by: -1 },
  PageDown: { kind: "move", to: "by", by: page },
  PageUp: { kind: "move", to: "by", by: -page },
  Home: { kind: "move", to: "first", by: 0 },
  End: { kind: "move", to: "last", by: 0 },
  ArrowRight: { kind: "child" },
  ArrowLeft: { kind: "parent" },
  " ": { kind: "select" },
  Enter: { kind: "open" },
  ".": { kind: "menu" },
  "]": { kind: "problem", by: 1 },
  "[": { kind: "problem", by: -1 },
  ContextMenu: { kind: "menu" },
};

/** Reads a key press; null means that the grid leaves the key alone. */
export function gridKey(event: KeyPress): GridCommand | null {
  const { key, shiftKey, altKey } = event;
  if (altKey) return null;
  if (event.ctrlKey || event.metaKey) return key.toLowerCase() === "a" ? { kind: "selectAll" } : null;
  if (shiftKey && key === "F10") return { kind: "menu" };
  if (shiftKey && key === "ArrowDown") return { kind: "extend", by: 1 };
  if (shiftKey && key === "ArrowUp") return { kind: "extend", by: -1 };
  const command = plain[key.length === 1 ? key.toLowerCase() : key];
  if (command) return command;
  return /^[a-z/?]$/i.test(key) ? { kind: "letter", letter: key.toLowerCase() } : null;
}
