import type { Cluster } from "../api/model";
import { Page } from "../app/Page";
import { CopyButton } from "../parts/CopyButton";
import { Facts } from "../parts/Facts";
import { Fingerprint } from "./add/CertificateStep";
import styles from "./tabs.module.css";
import { words } from "./words";

/** Which certificates are accepted, and why. */
export function CertificateTab({ cluster }: { cluster: Cluster }) {
  const fingerprints = Object.entries(cluster.tls.fingerprints).toSorted(([a], [b]) => a.localeCompare(b));
  return (
    <Page.Section plain>
      <div className={styles.stack}>
        <Facts facts={[[words.trust, words.tlsMode[cluster.tls.mode]]]} />
        <p className={styles.text}>{fingerprints.length > 0 ? words.pinNote : words.noFingerprints}</p>
        {fingerprints.map(([node, value]) => (
          <div key={node} className={styles.print}>
            <div className={styles.head}>
              <h2>{node}</h2>
              <CopyButton text={value} />
            </div>
            <Fingerprint value={value} />
          </div>
        ))}
      </div>
    </Page.Section>
  );
}
