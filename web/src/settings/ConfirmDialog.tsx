import { useMutation } from "@tanstack/react-query";
import { Button } from "../parts/Button";
import { Dialog } from "../parts/Dialog";
import { ProblemNote } from "../parts/ProblemNote";
import { words } from "./words";

interface Props {
  title: string;
  /** What happens then. */
  text: string;
  action: string;
  run: () => Promise<unknown>;
  onDone: () => void;
  onClose: () => void;
}

/** Asks once before something ends. */
export function ConfirmDialog({ title, text, action, run, onDone, onClose }: Props) {
  const confirmed = useMutation({
    mutationFn: run,
    onSuccess: () => {
      onDone();
      onClose();
    },
  });
  return (
    <Dialog
      title={title}
      keep={confirmed.isPending}
      onClose={onClose}
      footer={
        <>
          <Button look="ghost" onPress={onClose}>{words.cancel}</Button>
          <Button look="danger" busy={confirmed.isPending} onPress={() => confirmed.mutate()}>{action}</Button>
        </>
      }
    >
      <p>{text}</p>
      {confirmed.error && <ProblemNote error={confirmed.error} />}
    </Dialog>
  );
}
