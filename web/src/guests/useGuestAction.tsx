import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { type ApiCall, send } from "../api/call";
import type { Bulk, Guest } from "../api/model";
import { ByHandDialog } from "../jobs/ByHandDialog";
import { toastProblem } from "../parts/toast";
import { InstallDialog } from "../jobs/InstallDialog";
import { bulkActions } from "./actions";
import { RemoveAgentDialog } from "./RemoveAgentDialog";

type Target = Guest | readonly string[];

/** Runs a guest action by the server's name for it and shows what comes of it: a job, lines to paste, or a question first. */
export function useGuestAction(): { run: (name: string, target: Target) => void; busy: string | null; dialog: ReactNode } {
  const navigate = useNavigate();
  const [installing, setInstalling] = useState<{ readonly guests: readonly string[]; readonly again: boolean } | null>(null);
  const [byHand, setByHand] = useState<Bulk | null>(null);
  const [removing, setRemoving] = useState<Guest | null>(null);
  const bulk = useMutation({
    mutationFn: ({ name, guests }: { name: string; guests: readonly string[] }) => send(callOf(name, guests)),
    onSuccess: (answer) => show(answer),
    onError: toastProblem,
  });
  const show = (answer: Bulk) => {
    setInstalling(null);
    if (hasLines(answer)) setByHand(answer);
    else if (answer.job) void navigate({ to: "/jobs/$job", params: { job: answer.job.id } });
  };
  const run = (name: string, target: Target) => {
    if (name === "remove_agent" && "id" in target) setRemoving(target);
    else if (installs.includes(name)) setInstalling({ guests: "id" in target ? [target.id] : target, again: name === "reinstall_agent" });
    else bulk.mutate({ name, guests: "id" in target ? [target.id] : target });
  };
  const dialog = (
    <>
      {installing && <InstallDialog {...installing} onDone={show} onClose={() => setInstalling(null)} />}
      {byHand && <ByHandDialog bulk={byHand} onClose={() => setByHand(null)} />}
      {removing && <RemoveAgentDialog guest={removing} onClose={() => setRemoving(null)} />}
    </>
  );
  return { run, busy: bulk.isPending ? (bulk.variables?.name ?? null) : null, dialog };
}

/** Actions that begin with the question how the agent is to get in. */
const installs: readonly string[] = ["install_agent", "reinstall_agent", "set_console_mode"];

function hasLines({ by_hand }: Bulk): boolean {
  return Boolean(by_hand && (by_hand.guests.length > 0 || by_hand.nodes.length > 0));
}

function callOf(name: string, guests: readonly string[]): ApiCall<Bulk> {
  const action = bulkActions.find((each) => each.name === name);
  if (!action) throw new Error(`There is no call for the action ${name}.`);
  return action.call(guests);
}
