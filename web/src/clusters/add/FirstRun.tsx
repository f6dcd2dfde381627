import { useState } from "react";
import { Page } from "../../app/Page";
import { useHasRole } from "../../app/session";
import { Problem } from "../../api/problem";
import { Button } from "../../parts/Button";
import { Dialog } from "../../parts/Dialog";
import { Field } from "../../parts/Field";
import { Note } from "../../parts/Note";
import { ProblemNote } from "../../parts/ProblemNote";
import { CertificateStep } from "./CertificateStep";
import { FoundStep } from "./FoundStep";
import { useAddCluster } from "./flow";
import { NewTokenLines } from "./NewTokenLines";
import { FleetSketch } from "./FleetSketch";
import { RightsStep } from "./RightsStep";
import { StepList } from "./StepList";
import styles from "./add.module.css";
import { TokenStep } from "./TokenStep";
import { words } from "./words";

interface First {
  readonly isShown: boolean;
  /** Keeps the page while its steps are open, though the cluster is there by then. */
  readonly hold: (held: boolean) => void;
}

export function useFirstRun(isEmpty: boolean): First {
  const [held, hold] = useState(false);
  return { isShown: isEmpty || held, hold };
}

/** The whole product while it has nothing to show: the first cluster, asked on the page itself. */
export function FirstRun({ title, hold }: { title: string; hold: First["hold"] }) {
  const flow = useAddCluster();
  const mayManage = useHasRole("admin");
  const [opened, setOpened] = useState(false);
  const open = (next: boolean) => {
    setOpened(next);
    hold(next);
  };
  const { draft, change, probe } = flow;
  const error = probe.error && Problem.of(probe.error);
  const check = () => probe.mutate(undefined, { onSuccess: () => open(true) });
  return (
    <Page title={title}>
      <Page.Scroll>
        <div className={styles.first}>
          <div className={styles.firstMain}>
            <h2 className={styles.firstTitle}>{words.firstTitle}</h2>
            <p className={styles.firstLead}>{words.firstLead}</p>
            {!mayManage && <Note kind="info" title={words.needsAdmin}>{words.needsAdminText}</Note>}
            <form
              className={styles.form}
              onSubmit={(event) => {
                event.preventDefault();
                check();
              }}
            >
              <Field label={words.address} value={draft.address} onChange={(address) => change({ address })} placeholder={words.addressExample} error={error?.fields.get("url")} autoFocus required />
              <div className={styles.two}>
                <Field label={words.tokenId} value={draft.tokenId} onChange={(tokenId) => change({ tokenId })} placeholder={words.tokenIdExample} mono />
                <Field label={words.secret} value={draft.secret} onChange={(secret) => change({ secret })} type="password" autoComplete="new-password" placeholder={words.secretExample} />
              </div>
              {error && !error.fields.has("url") && <ProblemNote error={error} />}
              <div className={styles.checkRow}>
                <Button look="primary" type="submit" busy={probe.isPending} reason={draft.address.trim() ? null : "Type the address of a node first."}>
                  {words.check}
                </Button>
                <span className={styles.footHint}>{words.checkHint}</span>
              </div>
            </form>
            <NewTokenLines tokenId={draft.tokenId} />
          </div>
          <FleetSketch />
        </div>
      </Page.Scroll>
      {opened && <StepsDialog flow={flow} onClose={() => open(false)} />}
    </Page>
  );
}

function StepsDialog({ flow, onClose }: { flow: ReturnType<typeof useAddCluster>; onClose: () => void }) {
  if (flow.step === "address") return null;
  const content = { certificate: CertificateStep, token: TokenStep, rights: RightsStep, found: FoundStep }[flow.step](flow, onClose);
  return (
    <Dialog title={content.title} aside={<StepList flow={flow} />} footer={content.footer} width="wide" keep closeButton onClose={onClose}>
      {content.body}
    </Dialog>
  );
}
