import { Glyph } from "../../parts/Glyph";
import { type AddFlow, type Step, steps } from "./flow";
import styles from "./add.module.css";
import { words } from "./words";

/** The steps with what was decided in each. */
export function StepList({ flow }: { flow: AddFlow }) {
  const at = steps.indexOf(flow.step);
  return (
    <>
      <p className={styles.asideTitle}>{words.title}</p>
      <ol className={styles.steps}>
        {steps.map((step, index) => (
          <li key={step} className={styles.step} aria-current={index === at ? "step" : undefined}>
            <Glyph name={index < at || flow.step === "found" ? "succeeded" : index === at ? "current" : "waiting"} tone={index < at || flow.step === "found" ? "good" : index === at ? "busy" : "quiet"} />
            <span className={styles.stepText}>
              {words.steps[step]}
              {index < at && <span className={styles.decided}>{decided(flow, step)}</span>}
            </span>
          </li>
        ))}
      </ol>
    </>
  );
}

function decided({ draft, probe }: AddFlow, step: Step): string {
  if (step === "address") return draft.address.replace(/^https:\/\//, "");
  if (step === "certificate") return draft.useCa ? words.ca : probe.data?.trusted ? words.publicCa : words.pinned;
  return step === "token" ? draft.tokenId : "";
}
