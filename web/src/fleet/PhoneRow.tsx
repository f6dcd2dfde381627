import { Box } from "../parts/Check";
import { agentLook, statusLook } from "../guests/words";
import { shortSystem } from "../guests/system";
import { GuestCount, RollupSum } from "../guests/UpdateCount";
import { Glyph } from "../parts/Glyph";
import type { Column } from "../parts/treegrid/TreeGrid";
import { words as partWords } from "../parts/words";
import type { ColumnActions } from "./columns";
import { nameOf } from "./columns";
import styles from "./PhoneRow.module.css";
import { NameCell } from "./NameCell";
import type { FleetRow } from "./rows";

/** On phones a row has two lines and the count on the right; the rest is one tap away. */
export function phoneColumns(actions: ColumnActions): readonly Column<FleetRow>[] {
  return [
    {
      id: "select",
      header: <span className="offscreen">Selection</span>,
      className: styles.select,
      cell: (row) =>
        row.kind === "wait" ? null : (
          <button type="button" tabIndex={-1} className={styles.selectButton} aria-label={partWords.select(nameOf(row))} onClick={() => actions.select(row, false)}>
            <Box state={actions.selection(row)} />
          </button>
        ),
    },
    {
      id: "name",
      header: "Name",
      className: styles.name,
      cell: (row) => (
        <div className={styles.lines}>
          <div className={styles.line}>
            <NameCell row={row.kind === "guest" ? { ...row, level: 1 } : { ...row, level: 1 }} isList={actions.isList} onToggle={actions.toggleOpen} />
          </div>
          {row.kind === "guest" && <Second row={row} />}
        </div>
      ),
    },
    { id: "updates", header: "Updates", className: styles.updates, cell: (row) => <Count row={row} /> },
  ];
}

function Second({ row: { guest } }: { row: Extract<FleetRow, { kind: "guest" }> }) {
  const status = guest.status === "running" ? null : statusLook[guest.status].word;
  const agent = `agent ${agentLook[guest.agent.state].word}`;
  const look = guest.lock ? ({ glyph: "locked", tone: "warn" } as const) : statusLook[guest.status];
  return (
    <div className={styles.second}>
      <Glyph name={look.glyph} tone={look.tone} />
      {[guest.system && shortSystem(guest.system.name), status ?? agent].filter(Boolean).join(", ")}
    </div>
  );
}

function Count({ row }: { row: FleetRow }) {
  if (row.kind === "guest") return <GuestCount guest={row.guest} />;
  if (row.kind === "wait") return null;
  return <RollupSum rollup={(row.kind === "node" ? row.node : row.cluster).rollup} />;
}
