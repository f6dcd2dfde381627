import { Problem } from "../../api/problem";
import { Button } from "../../parts/Button";
import { Field } from "../../parts/Field";
import { ProblemNote } from "../../parts/ProblemNote";
import { words as partWords } from "../../parts/words";
import type { AddFlow } from "./flow";
import { NewTokenLines } from "./NewTokenLines";
import styles from "./add.module.css";
import { words } from "./words";

export function TokenStep({ draft, change, probe, test, setStep }: AddFlow) {
  const error = test.error && Problem.of(test.error);
  const fields = error?.fields ?? new Map<string, string>();
  const missing = draft.name.trim() && draft.tokenId.trim() && draft.secret.trim() ? null : "Fill in name, token ID and secret first.";
  return {
    title: words.tokenTitle,
    body: (
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          if (!missing) test.mutate();
        }}
      >
        <p className={styles.lead}>{words.tokenLead}</p>
        <Field label={words.name} value={draft.name} onChange={(name) => change({ name })} error={fields.get("name")} required />
        <div className={styles.two}>
          <Field label={words.tokenId} value={draft.tokenId} onChange={(tokenId) => change({ tokenId })} placeholder={words.tokenIdExample} error={fields.get("token_id")} autoFocus required mono />
          <Field label={words.secret} value={draft.secret} onChange={(secret) => change({ secret })} type="password" autoComplete="new-password" placeholder={words.secretExample} error={fields.get("token_secret")} required />
        </div>
        <button type="submit" hidden aria-hidden="true" tabIndex={-1} />
        {error && <ProblemNote error={error} />}
        <NewTokenLines tokenId={draft.tokenId} certificate={probe.data} />
      </form>
    ),
    footer: (
      <>
        <Button look="ghost" onPress={() => setStep("certificate")}>
          {partWords.back}
        </Button>
        <span className={styles.gap} />
        <Button look="primary" busy={test.isPending} reason={missing} onPress={() => test.mutate()}>
          {words.test}
        </Button>
      </>
    ),
  };
}
