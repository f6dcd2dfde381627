import type { Guest } from "../api/model";
import { Chip } from "../parts/Chip";
import { Glyph } from "../parts/Glyph";
import { words } from "./words";

/** How a command gets in: the way in use, or what is missing for one. */
export function ReachChip({ guest: { reach, status } }: { guest: Guest }) {
  if (reach.needs_step) {
    return (
      <span title={reach.needs_step}>
        <Chip look="amber">
          <Glyph name="step" tone="warn" />
          {reach.label}
        </Chip>
      </span>
    );
  }
  if (!reach.best && status === "running") {
    return (
      <Chip look="red">
        <Glyph name="noWay" tone="bad" />
        {reach.label || words.noWayIn}
      </Chip>
    );
  }
  if (!reach.best || reach.best === "by_hand") {
    return (
      <Chip look="dashed">
        <Glyph name="skipped" />
        {reach.label || words.byHand}
      </Chip>
    );
  }
  return <Chip look="quiet">{reach.label}</Chip>;
}
