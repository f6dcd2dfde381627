import { useNavigate } from "@tanstack/react-router";
import { Button } from "../../parts/Button";
import { Note } from "../../parts/Note";
import type { AddFlow } from "./flow";
import styles from "./add.module.css";
import { words } from "./words";

export function FoundStep({ test }: AddFlow, onOpen?: () => void) {
  const found = test.data?.found;
  return {
    title: found ? words.foundWords(found.nodes, found.lxcs, found.vms) : words.steps.found,
    body: (
      <>
        <Note kind="good">{words.doneLead}</Note>
        <ol className={styles.numbered}>
          {words.firstSteps.slice(1).map((step) => (
            <li key={step}>{step}</li>
          ))}
        </ol>
      </>
    ),
    footer: <OpenFleet onOpen={onOpen} />,
  };
}

function OpenFleet({ onOpen }: { onOpen: (() => void) | undefined }) {
  const navigate = useNavigate();
  const open = () => {
    onOpen?.();
    void navigate({ to: "/fleet" });
  };
  return (
    <Button look="primary" autoFocus onPress={open}>
      {words.openFleet}
    </Button>
  );
}
