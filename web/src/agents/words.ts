import { count } from "../words/plural";

export const words = {
  title: "Agents",
  summary: (online: number, all: number) => `${online} of ${count(all, "agent", "agents")} online`,
  guest: "Guest",
  state: "State",
  version: "Version",
  seen: "Last seen",
  why: "Reason",
  emptyTitle: "No agent is installed yet.",
  emptyText: "An agent is one small program in a guest. It connects to Muster by itself, opens no port, and makes scans take seconds. Choose guests in the fleet to install it.",
  openFleet: "Choose guests without an agent",
};
