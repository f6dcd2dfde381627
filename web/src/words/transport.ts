import type { Way } from "../api/model";

const transportWords: Readonly<Record<Way["transport"], string>> = {
  agent: "agent",
  exec_endpoint: "exec call",
  qemu_agent: "QEMU agent",
  token_console: "token console",
  ticket_console: "ticket console",
  by_hand: "by hand",
};

/** A way into a guest, as people call it. */
export const transportWord = (transport: Way["transport"]): string => transportWords[transport];
