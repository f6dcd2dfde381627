import type { ReactNode } from "react";
import styles from "./Table.module.css";

interface Column<Row> {
  readonly id: string;
  readonly header: ReactNode;
  readonly cell: (row: Row) => ReactNode;
  /** The cell that names the row. */
  readonly head?: boolean;
  /** Secondary: grey, and gone on phones. */
  readonly quiet?: boolean;
  readonly end?: boolean;
  /** Long text that may break anywhere; other cells keep their words whole. */
  readonly long?: boolean;
}

/** A plain table for lists of moderate length, edge to edge, with a head that stays. */
export function Table<Row>({ label, rows, rowKey, columns, footer }: { label: string; rows: readonly Row[]; rowKey: (row: Row) => string; columns: readonly Column<Row>[]; footer?: ReactNode }) {
  const classOf = (column: Column<Row>) => [column.quiet && styles.quiet, column.end && styles.end, column.long && styles.long].filter(Boolean).join(" ");
  return (
    // Scrollable areas take the focus, so that the keyboard can scroll them.
    <div className={styles.scroll} tabIndex={0} role="region" aria-label={label}>
      <table className={styles.table}>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.id} scope="col" className={classOf(column)}>
                {column.header}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={rowKey(row)}>
              {columns.map((column) =>
                column.head ? (
                  <th key={column.id} scope="row" className={classOf(column)}>
                    {column.cell(row)}
                  </th>
                ) : (
                  <td key={column.id} className={classOf(column)}>
                    {column.cell(row)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
      {footer}
    </div>
  );
}
