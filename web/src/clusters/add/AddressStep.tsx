import { Problem } from "../../api/problem";
import { Button } from "../../parts/Button";
import { Field } from "../../parts/Field";
import { ProblemNote } from "../../parts/ProblemNote";
import type { AddFlow } from "./flow";
import styles from "./add.module.css";
import { words } from "./words";

export function AddressStep({ draft, change, probe }: AddFlow) {
  const error = probe.error && Problem.of(probe.error);
  return {
    title: words.addressTitle,
    body: (
      <form
        id="address"
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          probe.mutate();
        }}
      >
        <p className={styles.lead}>{words.addressLead}</p>
        <Field label={words.address} value={draft.address} onChange={(address) => change({ address })} placeholder={words.addressExample} error={error?.fields.get("url")} autoFocus required />
        {error && !error.fields.has("url") && <ProblemNote error={error} />}
      </form>
    ),
    footer: (
      <>
        <span className={styles.footHint}>{words.checkHint}</span>
        <Button look="primary" busy={probe.isPending} reason={draft.address.trim() ? null : "Type the address of a node first."} onPress={() => probe.mutate()}>
          {words.check}
        </Button>
      </>
    ),
  };
}
