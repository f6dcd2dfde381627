import type { Rollup } from "../api/model";
import { number } from "../words/plural";
import { updatesWord } from "./words";

/** What a sum of updates leaves out; empty when it is complete. */
export function missingWord({ marks, unknown, updates_total }: Rollup): string {
  if (unknown === 0) return "";
  return updates_total == null && !marks.failed ? updatesWord.unknown : `${number(unknown)} unknown`;
}
