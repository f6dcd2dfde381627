import { memo, type MouseEvent, type ReactElement, useState } from "react";
import type { GridCommand } from "./keys";
import type { Column, GridRow } from "./TreeGrid";
import { useLongPress } from "./useLongPress";
import styles from "./TreeGrid.module.css";

interface Props<Row extends GridRow> {
  row: Row;
  className: string | undefined;
  index: number;
  start: number;
  /** Distance from the top when this row is an open ancestor that stays in sight. */
  stickyTop: number | undefined;
  columns: readonly Column<Row>[];
  tabbable: boolean;
  onFocus: (id: string) => void;
  onMenu: (row: Row, anchor: Element, at: { x: number; y: number } | null) => void;
  onCommand: (command: GridCommand, row: Row, index: number) => void;
}

/** Scrolling and moving the focus draw only the rows that are new or changed. */
export const TreeGridRow = memo(function TreeGridRow<Row extends GridRow>({ row, className, index, start, stickyTop, columns, tabbable, onFocus, onMenu, onCommand }: Props<Row>) {
  const placed = stickyTop === undefined ? { transform: `translateY(${start}px)`, height: row.height } : { top: `calc(var(--grid-head) + ${stickyTop}px)`, height: row.height };
  const changes = useChanges(row.content);
  const press = useLongPress(() => onCommand({ kind: "select" }, row, index));
  const onContextMenu = (event: MouseEvent) => {
    event.preventDefault();
    // A finger that stays selects; browsers that call this a right click must not open the menu over it.
    if (press.isTouch()) return;
    onFocus(row.id);
    onMenu(row, event.currentTarget, { x: event.clientX, y: event.clientY });
  };
  return (
    <div
      role="row"
      data-row={row.id}
      className={[styles.row, stickyTop === undefined ? styles.placed : styles.stuck, className].filter(Boolean).join(" ")}
      style={placed}
      tabIndex={tabbable ? 0 : -1}
      aria-level={row.level}
      aria-posinset={row.posInSet}
      aria-setsize={row.setSize}
      aria-rowindex={index + 2}
      aria-expanded={row.expanded}
      aria-selected={row.selected}
      onFocus={(event) => event.target === event.currentTarget && onFocus(row.id)}
      {...press.handlers}
      onContextMenu={onContextMenu}
      onDoubleClick={() => onCommand({ kind: "open" }, row, index)}
    >
      {changes > 0 && <span key={changes} className={styles.flash} aria-hidden="true" />}
      {columns.map((column) => (
        <div key={column.id} role="gridcell" className={`${styles.cell} ${column.className ?? ""}`}>
          {column.cell(row)}
        </div>
      ))}
    </div>
  );
}) as <Row extends GridRow>(props: Props<Row>) => ReactElement;

/** How often the content was replaced since the row came into sight. */
function useChanges(content: object | undefined): number {
  const [seen, setSeen] = useState({ content, changes: 0 });
  if (seen.content === content) return seen.changes;
  const next = { content, changes: seen.changes + 1 };
  setSeen(next);
  return next.changes;
}
