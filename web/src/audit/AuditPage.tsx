import { useInfiniteQuery } from "@tanstack/react-query";
import { call, send } from "../api/call";
import { keys } from "../api/keys";
import type { AuditEntry } from "../api/model";
import { Page } from "../app/Page";
import { Ago } from "../parts/Ago";
import { Button } from "../parts/Button";
import { Empty } from "../parts/Empty";
import { ProblemNote } from "../parts/ProblemNote";
import { Skeleton } from "../parts/Skeleton";
import { Table } from "../parts/Table";
import styles from "./AuditPage.module.css";
import { words } from "./words";

/** Who did what, on what, with which result. Newest first. */
export function AuditPage() {
  const audit = useInfiniteQuery({
    queryKey: keys.audit,
    queryFn: ({ pageParam, signal }) => send(call("get", "/api/v1/audit", { query: { limit: 100, ...(pageParam ? { cursor: pageParam } : {}) } }), signal),
    initialPageParam: "",
    getNextPageParam: (page) => page.next ?? undefined,
    refetchOnMount: "always",
  });
  const entries = audit.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Page title={words.title}>
      {audit.error && <Page.Section plain><ProblemNote error={audit.error} onRetry={() => void audit.refetch()} /></Page.Section>}
      {audit.isPending && <Skeleton what={words.title} />}
      {audit.data && entries.length === 0 && <Empty title={words.emptyTitle}>{words.emptyText}</Empty>}
      {entries.length > 0 && (
        <Table
          label={words.title}
          rows={entries}
          rowKey={(entry) => entry.id}
          columns={[
            { id: "when", header: words.when, head: true, cell: (entry) => <Ago at={entry.at} /> },
            { id: "who", header: words.who, cell: (entry) => entry.actor.name },
            { id: "what", header: words.what, cell: (entry) => entry.action },
            { id: "on", header: words.on, quiet: true, cell: (entry) => <>{entry.target.name} <span className="third">{entry.target.kind}</span></> },
            { id: "detail", header: words.detail, quiet: true, long: true, cell: detailOf },
          ]}
          footer={
            audit.hasNextPage && (
              <div className={styles.more}>
                <Button busy={audit.isFetchingNextPage} onPress={() => void audit.fetchNextPage()}>
                  {words.older}
                </Button>
              </div>
            )
          }
        />
      )}
    </Page>
  );
}

/** The facts of an entry, in the words of the API. */
function detailOf({ detail }: AuditEntry) {
  const facts = Object.entries(detail as Record<string, unknown>).flatMap(([name, value]) => (value === null ? [] : [`${name.replaceAll("_", " ")}: ${inWords(value)}`]));
  return <span className="third">{facts.join(", ")}</span>;
}

function inWords(value: unknown): string {
  if (Array.isArray(value)) return value.map(inWords).join(" ");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
