import { type ReactNode, useEffect, useRef, useState } from "react";
import { gridKey, type GridCommand } from "./keys";
import { TreeGridRow } from "./TreeGridRow";
import styles from "./TreeGrid.module.css";
import { useGridRows } from "./useGridRows";

/** What the grid must know of a row; everything else about it is the business of the columns. */
export interface GridRow {
  readonly id: string;
  readonly level: number;
  readonly posInSet: number;
  readonly setSize: number;
  /** Missing for a row that can never be opened. */
  readonly expanded?: boolean;
  readonly selected: boolean;
  readonly height: number;
  /** Stays at the top while what it holds scrolls by. */
  readonly sticky: boolean;
  /** What the row shows. When another object takes its place, the row is tinted for a moment. */
  readonly content?: object;
}

export interface Column<Row extends GridRow> {
  readonly id: string;
  readonly header: ReactNode;
  readonly className?: string;
  readonly cell: (row: Row) => ReactNode;
  readonly sort?: SortableHead;
}

/** A head that sorts when it is pressed. */
interface SortableHead {
  readonly direction: "ascending" | "descending" | undefined;
  readonly press: () => void;
}

interface Props<Row extends GridRow> {
  label: string;
  rows: readonly Row[];
  columns: readonly Column<Row>[];
  onCommand: (command: GridCommand, row: Row, index: number) => void;
  onMenu: (row: Row, anchor: Element, at: { x: number; y: number } | null) => void;
  /** Which rows the keys ] and [ jump to. */
  isProblem?: (row: Row) => boolean;
  className?: string;
  rowClass?: (row: Row) => string | undefined;
  /** Room below the last row, for what floats over the bottom. */
  bottomSpace?: number;
  footer?: ReactNode;
}

/**
 * A tree in a table with as many rows as there are: only the visible ones, the focused one and the open ancestors are
 * in the page. Arrow keys move, the row that has the focus is never taken away.
 */
export function TreeGrid<Row extends GridRow>({ label, rows, columns, onCommand, onMenu, isProblem, className, rowClass, bottomSpace = 0, footer }: Props<Row>) {
  const scroller = useRef<HTMLDivElement>(null);
  const [focusedId, setFocusedId] = useState<string | null>(null);
  const focusIndex = Math.max(0, focusedId === null ? 0 : rows.findIndex((row) => row.id === focusedId));
  const { virtualizer, stuck, items } = useGridRows(scroller, rows, focusIndex);
  const wanted = useRef<string | null>(null);

  const focusRow = (index: number) => {
    const row = rows[Math.min(Math.max(index, 0), rows.length - 1)];
    if (!row) return;
    wanted.current = row.id;
    setFocusedId(row.id);
    virtualizer.scrollToIndex(rows.indexOf(row), { align: "auto" });
  };
  useEffect(() => {
    if (wanted.current === null) return;
    const element = scroller.current?.querySelector<HTMLElement>(`[data-row="${CSS.escape(wanted.current)}"]`);
    if (!element) return;
    wanted.current = null;
    element.focus({ preventScroll: true });
  });

  const onKeyDown = (event: React.KeyboardEvent) => {
    const index = rows.findIndex((row) => row.id === (event.target as Element).closest("[data-row]")?.getAttribute("data-row"));
    const row = rows[index];
    if (!row) return;
    const command = gridKey(event.nativeEvent);
    if (!command) return;
    event.preventDefault();
    if (command.kind === "move") focusRow(command.to === "first" ? 0 : command.to === "last" ? rows.length - 1 : index + command.by);
    else if (command.kind === "problem") focusRow(nextProblem(rows, index, command.by, isProblem));
    else if (command.kind === "parent" && !row.expanded) focusRow(parentOf(rows, index));
    else if (command.kind === "child" && row.expanded) focusRow(index + 1);
    else if (command.kind === "menu") onMenu(row, event.target as Element, null);
    else onCommand(command, row, index);
    if (command.kind === "extend") focusRow(index + command.by);
  };

  return (
    <div ref={scroller} className={`${styles.scroller} ${className ?? ""}`} data-scroller>
      <div role="treegrid" aria-label={label} aria-multiselectable="true" aria-rowcount={rows.length + 1} aria-colcount={columns.length} onKeyDown={onKeyDown}>
        <div className={styles.head} role="row" aria-rowindex={1}>
          {columns.map((column) => (
            <div key={column.id} role="columnheader" className={column.className} aria-sort={column.sort?.direction}>
              {column.sort ? <SortButton sort={column.sort}>{column.header}</SortButton> : column.header}
            </div>
          ))}
        </div>
        <div className={styles.body} role="rowgroup" style={{ height: virtualizer.getTotalSize() + bottomSpace }}>
          {items.map((item) => {
            const row = rows[item.index];
            if (!row) return null;
            return (
              <TreeGridRow
                key={row.id}
                row={row}
                className={rowClass?.(row)}
                index={item.index}
                start={item.start}
                stickyTop={stuck.get(item.index)}
                columns={columns}
                tabbable={item.index === focusIndex}
                onFocus={setFocusedId}
                onMenu={onMenu}
                onCommand={onCommand}
              />
            );
          })}
        </div>
      </div>
      {footer}
    </div>
  );
}

function SortButton({ sort: { direction, press }, children }: { sort: SortableHead; children: ReactNode }) {
  return (
    <button type="button" className={styles.sort} onClick={press}>
      {children}
      {direction && <span aria-hidden="true">{direction === "ascending" ? "↑" : "↓"}</span>}
    </button>
  );
}

function parentOf(rows: readonly GridRow[], index: number): number {
  const level = rows[index]?.level ?? 1;
  for (let above = index - 1; above >= 0; above--) if ((rows[above]?.level ?? 0) < level) return above;
  return index;
}

function nextProblem<Row extends GridRow>(rows: readonly Row[], index: number, by: 1 | -1, isProblem: ((row: Row) => boolean) | undefined): number {
  for (let next = index + by; next >= 0 && next < rows.length; next += by) {
    const row = rows[next];
    if (row && isProblem?.(row)) return next;
  }
  return index;
}
