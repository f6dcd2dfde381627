import { useState } from "react";
import { Check } from "../../parts/Check";
import { Choice } from "../../parts/Choice";
import { CopyBlock } from "../../parts/CopyBlock";
import styles from "./add.module.css";
import { type Release, newTokenLines, releases } from "./pveum";
import { words } from "./words";

/** The lines that make a role and a token, for somebody who has none yet. */
export function NewTokenLines({ tokenId }: { tokenId?: string }) {
  const [release, setRelease] = useState<Release>("9");
  const [auditOnly, setAuditOnly] = useState(false);
  return (
    <section className={styles.lines}>
      <div className={styles.linesHead}>
        <p>{words.noToken}</p>
        <Choice label={words.release} value={release} onChange={setRelease} options={releases.map((value) => ({ value, label: `PVE ${value}` }))} />
      </div>
      <CopyBlock text={newTokenLines(release, auditOnly, tokenId)} label={words.noToken} />
      <p className={styles.small}>{words.noRoot}</p>
      <Check checked={auditOnly} onChange={setAuditOnly}>
        {words.readOnly}
      </Check>
    </section>
  );
}
