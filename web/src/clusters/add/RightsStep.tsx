import { RefreshCw } from "lucide-react";
import { Button } from "../../parts/Button";
import { ProblemNote } from "../../parts/ProblemNote";
import { words as partWords } from "../../parts/words";
import { count } from "../../words/plural";
import { missingRights, RightsTable } from "../RightsTable";
import type { AddFlow } from "./flow";
import styles from "./add.module.css";
import { words } from "./words";

export function RightsStep({ test, add, setStep }: AddFlow) {
  const report = test.data;
  const missing = report ? missingRights(report) : 0;
  const nodes = report ? count(report.found.nodes, "node", "nodes") : "";
  return {
    title: report ? words.tokenWorks(missing, report.excess.length) : words.steps.rights,
    body: (
      <>
        {report && <p className={styles.lead}>{missing > 0 ? words.goOn(report.version, nodes) : words.allThere(report.version, nodes)}</p>}
        {report && <RightsTable report={report} />}
        {(test.error ?? add.error) && <ProblemNote error={test.error ?? add.error} />}
      </>
    ),
    footer: (
      <>
        <Button look="ghost" onPress={() => setStep("token")}>
          {partWords.back}
        </Button>
        <Button look="ghost" icon={<RefreshCw size={14} aria-hidden />} busy={test.isPending} onPress={() => test.mutate()}>
          {words.checkAgain}
        </Button>
        <span className={styles.gap} />
        {report && <span className={styles.footHint}>{words.foundWords(report.found.nodes, report.found.lxcs, report.found.vms)}</span>}
        <Button look="primary" busy={add.isPending} onPress={() => add.mutate()} autoFocus>
          {words.save}
        </Button>
      </>
    ),
  };
}
