import { Button } from "../../parts/Button";
import { Check } from "../../parts/Check";
import { CopyBlock } from "../../parts/CopyBlock";
import { CopyButton } from "../../parts/CopyButton";
import { Field } from "../../parts/Field";
import { Note } from "../../parts/Note";
import { words as partWords } from "../../parts/words";
import { date } from "../../words/time";
import type { AddFlow } from "./flow";
import styles from "./add.module.css";
import { words } from "./words";

const compareLine = "openssl x509 -in /etc/pve/local/pve-ssl.pem -noout -fingerprint -sha256";

export function CertificateStep({ draft, change, probe, setStep }: AddFlow) {
  const certificate = probe.data;
  const host = URL.canParse(draft.address) ? new URL(draft.address).hostname : draft.address;
  const differs = () => {
    probe.reset();
    change({ address: "" });
    setStep("address");
  };
  return {
    title: words.certificateTitle,
    body: certificate && (
      <>
        <p className={styles.lead}>{certificate.trusted ? words.certificateTrusted(host) : words.certificateLead(host)}</p>
        <div className={styles.fingerprint}>
          <div className={styles.fingerprintHead}>
            <span>{words.fingerprint}</span>
            <CopyButton text={certificate.fingerprint} />
          </div>
          <Fingerprint value={certificate.fingerprint} />
        </div>
        <dl className={styles.facts}>
          <dt>{words.certName}</dt>
          <dd>{words.issuedBy(certificate.subject, certificate.issuer)}</dd>
          {certificate.not_after && (
            <>
              <dt>{words.valid}</dt>
              <dd>{date(certificate.not_after)}</dd>
            </>
          )}
          {certificate.names.length > 0 && (
            <>
              <dt>{words.alsoAs}</dt>
              <dd>{certificate.names.join(", ")}</dd>
            </>
          )}
        </dl>
        {!certificate.trusted && (
          <>
            {certificate.trust_problem && <Note kind="info">{certificate.trust_problem}</Note>}
            <p className={styles.lead}>{words.compare}</p>
            <CopyBlock text={compareLine} label="Command that prints the fingerprint" />
            <Check checked={draft.useCa} onChange={(useCa) => change({ useCa })}>
              {words.useCa}
              <span className={styles.small}>{words.useCaHint}</span>
            </Check>
            {draft.useCa && <Field label={words.caPem} value={draft.caPem} onChange={(caPem) => change({ caPem })} lines={6} mono placeholder="-----BEGIN CERTIFICATE-----" />}
          </>
        )}
      </>
    ),
    footer: (
      <>
        <Button look="ghost" onPress={() => setStep("address")}>
          {partWords.back}
        </Button>
        <span className={styles.gap} />
        {!certificate?.trusted && <Button onPress={differs}>{words.differs}</Button>}
        <Button look="primary" reason={draft.useCa && !draft.caPem.includes("BEGIN CERTIFICATE") ? "Paste the CA certificate first." : null} onPress={() => setStep("token")} autoFocus>
          {certificate?.trusted ? words.trust : draft.useCa ? words.trustCa : words.pin}
        </Button>
      </>
    ),
  };
}

/** Eight groups of four bytes: short enough to compare one after another. */
export function Fingerprint({ value }: { value: string }) {
  const groups = value.match(/(?:[0-9A-F]{2}:?){1,4}/gi) ?? [value];
  return (
    <code className={styles.bytes}>
      {groups.map((group, index) => (
        <span key={index}>{group.replace(/:$/, "")}</span>
      ))}
    </code>
  );
}
