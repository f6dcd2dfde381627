import { Link } from "@tanstack/react-router";
import type { Guest, Work } from "../api/model";
import { stepWord, workWord } from "../jobs/looks";
import { useNow } from "../parts/Ago";
import { Glyph } from "../parts/Glyph";
import { State } from "../parts/State";
import { age } from "../words/time";
import { agentLook, statusLook, words } from "./words";

/** Whether the guest runs. A lock and a stale answer are said instead of being hidden behind "running". */
export function GuestStatus({ guest }: { guest: Guest }) {
  const now = useNow();
  const look = statusLook[guest.status];
  if (guest.gone_at) return <State glyph="impossible" tone="quiet">{words.gone}</State>;
  if (guest.stale_since) {
    return (
      <State glyph="stale" tone="quiet">
        <span title={words.staleSince(age(guest.stale_since, now))}>
          {look.word}, {age(guest.stale_since, now)}
        </span>
      </State>
    );
  }
  if (guest.template) return <State glyph="skipped" tone="quiet">{words.template}</State>;
  if (guest.lock) return <State glyph="locked" tone="warn">{words.locked(guest.lock)}</State>;
  return <State glyph={look.glyph} tone={look.tone}>{look.word}</State>;
}

/** What a job does in the guest now, with the way to the job. */
export function GuestWork({ work: { job, kind, state, step } }: { work: Work }) {
  const waits = state === "waiting";
  return (
    <Link className="rowLink" tabIndex={-1} to="/jobs/$job" params={{ job }} title={step ? stepWord(step) : undefined}>
      <State glyph={waits ? "late" : "working"} tone={waits ? "warn" : "busy"}>
        {workWord(kind)}
      </State>
    </Link>
  );
}

export function AgentState({ agent, compact }: { agent: Guest["agent"]; compact?: boolean }) {
  const now = useNow();
  const look = agentLook[agent.state];
  if (compact) return <Glyph name={look.glyph} tone={look.tone} />;
  const since = agent.last_seen_at && (agent.state === "late" || agent.state === "offline") ? `, ${age(agent.last_seen_at, now)}` : "";
  return (
    <State glyph={look.glyph} tone={look.tone}>
      <span title={agent.reason ?? undefined}>
        {look.word}
        {since}
      </span>
    </State>
  );
}
