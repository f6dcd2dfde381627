import { useMutation } from "@tanstack/react-query";
import { call, send } from "../api/call";
import type { Guest } from "../api/model";
import { Button } from "../parts/Button";
import { CopyBlock } from "../parts/CopyBlock";
import { Dialog } from "../parts/Dialog";
import { ProblemNote } from "../parts/ProblemNote";
import { words as partWords } from "../parts/words";

/** Asks before Muster forgets an agent, then shows the line that removes it in the guest. */
export function RemoveAgentDialog({ guest, onClose }: { guest: Guest; onClose: () => void }) {
  const removal = useMutation({ mutationFn: () => send(call("delete", "/api/v1/guests/{id}/agent", { path: { id: guest.id } })) });
  if (removal.isSuccess) {
    const line = removal.data?.line;
    return (
      <Dialog title={`Muster has forgotten the agent of ${guest.name}`} onClose={onClose} footer={<Button onPress={onClose}>{partWords.close}</Button>}>
        <p>Its key is no longer accepted. {line ? "The program still stands in the guest; this line, run there as root, removes it:" : "The program in the guest stops by itself."}</p>
        {line && <CopyBlock text={line} label="Line that removes the agent" wrap />}
      </Dialog>
    );
  }
  return (
    <Dialog
      title={`Remove the agent of ${guest.name}?`}
      keep={removal.isPending}
      onClose={onClose}
      footer={
        <>
          <Button look="ghost" onPress={onClose}>
            Keep it
          </Button>
          <Button look="danger" busy={removal.isPending} onPress={() => removal.mutate()}>
            Remove the agent
          </Button>
        </>
      }
    >
      <p>Muster forgets its key at once, so the agent can no longer connect. Scans need another way in, or a new installation. Nothing else in the guest changes.</p>
      {removal.error && <ProblemNote error={removal.error} />}
    </Dialog>
  );
}
