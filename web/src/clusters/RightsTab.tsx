import { useQuery } from "@tanstack/react-query";
import { RefreshCw } from "lucide-react";
import type { Cluster } from "../api/model";
import { queries } from "../api/queries";
import { Page } from "../app/Page";
import { Button } from "../parts/Button";
import { ProblemNote } from "../parts/ProblemNote";
import { Skeleton } from "../parts/Skeleton";
import { words as addWords } from "./add/words";
import styles from "./tabs.module.css";
import { missingRights, RightsTable } from "./RightsTable";
import { words } from "./words";

/** What the cluster's token may do now, asked of PVE when the tab opens. */
export function RightsTab({ cluster }: { cluster: Cluster }) {
  const rights = useQuery(queries.rights(cluster.id));
  return (
    <Page.Section plain>
      <div className={styles.stack}>
        <div className={styles.head}>
          <h2>{rights.data ? addWords.tokenWorks(missingRights(rights.data), rights.data.excess.length) : words.rightsWait}</h2>
          <Button icon={<RefreshCw size={14} aria-hidden />} busy={rights.isFetching} onPress={() => void rights.refetch()}>
            {addWords.checkAgain}
          </Button>
        </div>
        {rights.isPending && <Skeleton rows={6} what={words.rights} />}
        {rights.error && <ProblemNote error={rights.error} onRetry={() => void rights.refetch()} />}
        {rights.data && <RightsTable report={rights.data} />}
      </div>
    </Page.Section>
  );
}
