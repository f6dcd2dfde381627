import { announce } from "../app/announce";
import { toast } from "./toast";
import { words } from "./words";

/** Copies a text and says whether it worked. */
export async function copyAndSay(text: string): Promise<boolean> {
  const done = await copyText(text);
  if (done) announce(words.copied);
  else toast(words.copyFailed, { kind: "bad" });
  return done;
}

/**
 * Puts text on the clipboard. The clipboard API exists on HTTPS only, so plain HTTP takes the older way.
 * Returns false when the browser refuses both.
 */
async function copyText(text: string): Promise<boolean> {
  if (globalThis.isSecureContext && navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // The permission was refused; the older way may still be allowed.
    }
  }
  const area = document.createElement("textarea");
  area.value = text;
  area.readOnly = true;
  area.className = "offscreen";
  const host = document.activeElement?.closest("[role=dialog]") ?? document.body;
  host.append(area);
  const focused = document.activeElement;
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  if (focused instanceof HTMLElement) focused.focus();
  return copied;
}
