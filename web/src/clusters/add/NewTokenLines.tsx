import { useState } from "react";
import type { Certificate } from "../../api/model";
import { Check } from "../../parts/Check";
import { Choice } from "../../parts/Choice";
import { CopyBlock } from "../../parts/CopyBlock";
import styles from "./add.module.css";
import { type Release, newTokenLines, releases } from "./pveum";
import { words } from "./words";

/** The lines that make a role and a token, for somebody who has none yet: from the server, or before it was asked, ours. */
export function NewTokenLines({ tokenId, certificate }: { tokenId?: string; certificate?: Certificate }) {
  const [release, setRelease] = useState<Release>("9");
  const [auditOnly, setAuditOnly] = useState(false);
  const known = auditOnly ? certificate?.pveum_audit_only : certificate?.pveum;
  const lines = known?.[release] ?? newTokenLines(release, auditOnly, tokenId);
  return (
    <section className={styles.lines}>
      <div className={styles.linesHead}>
        <p>{words.noToken}</p>
        <Choice label={words.release} value={release} onChange={setRelease} options={releases.map((value) => ({ value, label: `PVE ${value}` }))} />
      </div>
      <CopyBlock text={lines} label={words.noToken} />
      <p className={styles.small}>{words.noRoot}</p>
      <Check checked={auditOnly} onChange={setAuditOnly}>
        {words.readOnly}
      </Check>
    </section>
  );
}
