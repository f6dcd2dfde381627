import { useQuery } from "@tanstack/react-query";
import { Link, Outlet, useNavigate } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { queries } from "../api/queries";
import { useHasRole } from "../app/session";
import { words as addWords } from "../clusters/add/words";
import { ClusterState } from "../clusters/ClusterState";
import { Button } from "../parts/Button";
import { Empty } from "../parts/Empty";
import { ProblemNote } from "../parts/ProblemNote";
import { Skeleton } from "../parts/Skeleton";
import { Table } from "../parts/Table";
import { number } from "../words/plural";
import styles from "./settings.module.css";
import { words } from "./words";

export function ClustersSection() {
  const clusters = useQuery(queries.clusters);
  const navigate = useNavigate();
  const mayManage = useHasRole("admin");
  const text = words.clusters;
  return (
    <>
      <div className={styles.head}>
        <p className={styles.lead}>{text.lead}</p>
        <Button look="primary" icon={<Plus size={14} aria-hidden />} reason={mayManage ? null : words.onlyAdmin} onPress={() => void navigate({ to: "/settings/clusters/add" })}>
          {addWords.title}
        </Button>
      </div>
      {clusters.error && <div className={styles.head}><ProblemNote error={clusters.error} onRetry={() => void clusters.refetch()} /></div>}
      {clusters.isPending && <Skeleton rows={3} what={words.sections.clusters} />}
      {clusters.data?.length === 0 && <Empty title={text.empty}>{text.emptyText}</Empty>}
      {clusters.data && clusters.data.length > 0 && (
        <Table
          label={words.sections.clusters}
          rows={clusters.data}
          rowKey={(cluster) => cluster.id}
          columns={[
            { id: "name", header: text.name, head: true, cell: (cluster) => <Link className="rowLink" to="/fleet/$cluster" params={{ cluster: cluster.id }} search={{ tab: "settings" }}>{cluster.name}</Link> },
            { id: "status", header: text.status, cell: (cluster) => <ClusterState cluster={cluster} /> },
            { id: "guests", header: text.guests, cell: (cluster) => number(cluster.rollup.guests) },
            { id: "version", header: text.version, quiet: true, cell: (cluster) => cluster.version },
            { id: "token", header: text.token, quiet: true, cell: (cluster) => <code>{cluster.token_id}</code> },
          ]}
        />
      )}
      <Outlet />
    </>
  );
}
