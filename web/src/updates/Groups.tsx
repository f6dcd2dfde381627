import { useNavigate, useSearch } from "@tanstack/react-router";
import type { Guest } from "../api/model";
import { Empty } from "../parts/Empty";
import { Tabs } from "../parts/Tabs";
import { GuestUpdates } from "./GuestUpdates";
import { notKnown, type UpdateSummary } from "./summary";
import { type Grouping, groupings } from "./tabs";
import { UnknownGuests } from "./UnknownGuests";
import { words } from "./words";

interface Props {
  summary: UpdateSummary;
  busy: string | null;
  onRun: (name: string, guest: Guest) => void;
}

/** What is out of date, looked at from one side at a time, and what is not known. */
export function Groups({ summary, busy, onRun }: Props) {
  const { by } = useSearch({ from: "/shell/" });
  const navigate = useNavigate({ from: "/" });
  const unknown = notKnown(summary);
  const counts: Record<Grouping, number> = { guest: summary.outOfDate.length, unknown: unknown.length };
  // While nothing is known to be out of date, what is not known is the news.
  const chosen = by ?? (summary.outOfDate.length === 0 && unknown.length > 0 ? "unknown" : "guest");
  const choose = (next: string) => void navigate({ search: { by: groupings.find((each) => each === next) }, replace: true });
  return (
    <Tabs label={words.groupings} tabs={groupings.map((id) => ({ id, label: words.by[id], count: counts[id] }))} chosen={chosen} onChoose={choose}>
      {chosen === "guest" && (summary.outOfDate.length > 0 ? <GuestUpdates guests={summary.outOfDate} /> : <Empty title={words.nothingOut}>{summary.upToDate > 0 ? words.nothingOutText(summary.upToDate) : words.noneKnownText}</Empty>)}
      {chosen === "unknown" && (unknown.length > 0 ? <UnknownGuests guests={unknown} busy={busy} onRun={onRun} /> : <Empty title={words.allKnown}>{words.allKnownText}</Empty>)}
    </Tabs>
  );
}
