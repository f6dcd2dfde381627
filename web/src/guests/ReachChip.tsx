import type { Guest } from "../api/model";
import { Chip } from "../parts/Chip";
import { Glyph } from "../parts/Glyph";
import { words } from "./words";

/** How a command gets in: the way in use, or what is missing for one. */
export function ReachChip({ guest: { reach, status } }: { guest: Guest }) {
  const { best, label, needs_step } = reach;
  if (best && best !== "by_hand") return <Chip look="quiet">{label}</Chip>;
  if (best || status !== "running") {
    return (
      <span title={needs_step ?? undefined}>
        <Chip look="dashed">
          <Glyph name="skipped" />
          {label}
        </Chip>
      </span>
    );
  }
  if (needs_step) {
    return (
      <span title={needs_step}>
        <Chip look="amber">
          <Glyph name="step" tone="warn" />
          {words.needsStep}
        </Chip>
      </span>
    );
  }
  return (
    <Chip look="red">
      <Glyph name="noWay" tone="bad" />
      {label}
    </Chip>
  );
}
