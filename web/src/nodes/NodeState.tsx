import type { Node } from "../api/model";
import { Ago } from "../parts/Ago";
import { State } from "../parts/State";
import { words } from "./words";

export function NodeState({ node }: { node: Node }) {
  if (node.status === "online") return <State glyph="running" tone="good">{words.online}</State>;
  const offline = node.status === "offline";
  return (
    <State glyph={offline ? "offline" : "unknown"} tone={offline ? "bad" : "quiet"}>
      {offline ? words.noAnswer : words.unknown}
      {node.stale_since && <>, <Ago at={node.stale_since} /></>}
    </State>
  );
}
