import { Fragment } from "react";
import { useQuery } from "@tanstack/react-query";
import type { Guest, Update } from "../api/model";
import { queries } from "../api/queries";
import { Ago } from "../parts/Ago";
import { Chip } from "../parts/Chip";
import { Empty } from "../parts/Empty";
import { Glyph } from "../parts/Glyph";
import { Note } from "../parts/Note";
import { ProblemNote } from "../parts/ProblemNote";
import { Skeleton } from "../parts/Skeleton";
import { downloadSize } from "../words/size";
import { count } from "../words/plural";
import styles from "./UpdateTable.module.css";
import { pageWords as words } from "./words";

/** What waits in this guest, security first, each with the evidence for calling it so. */
export function UpdateTable({ guest }: { guest: Guest }) {
  const updates = useQuery(queries.guestUpdates(guest.id));
  if (updates.error) return <div className={styles.pad}><ProblemNote error={updates.error} onRetry={() => void updates.refetch()} /></div>;
  if (!updates.data) return <Skeleton what={words.waiting} />;
  const { state, items, reason, scanned_at } = updates.data;
  const sorted = items.toSorted((a, b) => Number(b.security) - Number(a.security) || a.name.localeCompare(b.name));
  const bytes = items.reduce((sum, item) => sum + (item.size ?? 0), 0);
  if (state === "unknown" && items.length === 0) return <Empty title={words.neverTitle}>{reason ?? words.neverText}</Empty>;
  if (state === "unsupported") return <Empty title={words.unsupportedTitle}>{reason}</Empty>;
  return (
    <section aria-label={words.waiting}>
      <header className={styles.head}>
        <h2>
          {words.waiting} <span className={styles.quiet}>{sources(items)}</span>
        </h2>
        <span className={styles.quiet}>{bytes > 0 && downloadSize(bytes)}</span>
      </header>
      {(state === "failed" || state === "stale") && (
        <div className={styles.pad}>
          <Note kind="warn" title={state === "failed" ? "The last scan failed." : "This list is stale."}>
            {reason} {scanned_at && <>Last known state from <Ago at={scanned_at} suffix=" ago" />.</>}
          </Note>
        </div>
      )}
      {items.length === 0 && state === "fresh" && <Empty title={words.noUpdates}>{words.noUpdatesText}</Empty>}
      {items.length > 0 && (
        <table className={styles.table}>
          <thead>
            <tr>
              <th scope="col">{words.package}</th>
              <th scope="col">{words.version}</th>
              <th scope="col" className={styles.origin}>{words.origin}</th>
              <th scope="col" className={styles.size}>{words.size}</th>
            </tr>
          </thead>
          <tbody>
            {sorted.map((item) => (
              <UpdateRow key={`${item.source}/${item.name}/${item.arch ?? ""}`} item={item} />
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function UpdateRow({ item }: { item: Update }) {
  return (
    <tr>
      <th scope="row">
        <span className={styles.package}>
          <span className={styles.shield}>{item.security && <Glyph name="shield" tone="warn" size={12} />}</span>
          <span>
            {item.name} <span className={styles.quiet}>{item.source}</span>
            {item.security && <span className="offscreen">, {words.security}</span>}
          </span>
          {item.held && <Chip look="dashed">{words.held}</Chip>}
        </span>
      </th>
      <td>
        <code className={styles.version}>
          <span className={styles.from}>{item.from ?? "new"}</span>
          <span aria-label="to">→</span>
          <span>{item.to}</span>
        </code>
      </td>
      <td className={styles.origin}>
        <Origin text={item.origin} />
        {item.evidence && item.evidence !== item.origin && <span className={styles.evidence} title={words.evidence}>{item.evidence}</span>}
      </td>
      <td className={styles.size}>{item.size ? downloadSize(item.size) : ""}</td>
    </tr>
  );
}

/** An origin may break after its slashes and colons, nowhere else. */
function Origin({ text }: { text: string | null | undefined }) {
  return (
    <>
      {text?.split(/(?<=[/:])/).map((part, index) => (
        <Fragment key={index}>
          {part}
          <wbr />
        </Fragment>
      ))}
    </>
  );
}

function sources(items: readonly Update[]): string {
  const amounts = new Map<string, number>();
  for (const { source } of items) amounts.set(source, (amounts.get(source) ?? 0) + 1);
  const security = items.filter((item) => item.security).length;
  return [...[...amounts].map(([source, amount]) => `${source} ${amount}`), security > 0 ? `${count(security, "security update", "security updates")}` : ""].filter(Boolean).join(", ");
}
