import { Link } from "@tanstack/react-router";
import type { Action, Guest } from "../api/model";
import { guestActionWords } from "../guests/actions";
import { UpdateCount } from "../guests/UpdateCount";
import { Ago } from "../parts/Ago";
import { Button } from "../parts/Button";
import { Table } from "../parts/Table";
import { GuestName } from "./GuestName";
import styles from "./UpdatesPage.module.css";
import { words } from "./words";

/** More rows than anybody reads on a home page; the fleet's list has all of them. */
const mostRows = 200;

interface Props {
  guests: readonly Guest[];
  busy: string | null;
  onRun: (name: string, guest: Guest) => void;
}

/** The guests of which nothing is known, or nothing fresh: since when, why, and the one thing that would change it. */
export function UnknownGuests({ guests, busy, onRun }: Props) {
  return (
    <Table
      label={words.by.unknown}
      rows={guests.slice(0, mostRows)}
      rowKey={(guest) => guest.id}
      columns={[
        { id: "guest", header: words.guest, head: true, cell: (guest) => <GuestName guest={guest} /> },
        { id: "state", header: words.state, cell: (guest) => <UpdateCount updates={guest.updates} /> },
        { id: "since", header: words.scanned, quiet: true, cell: (guest) => (guest.updates.scanned_at ? <Ago at={guest.updates.scanned_at} /> : <span className={styles.quiet}>{words.dash}</span>) },
        { id: "why", header: words.why, quiet: true, long: true, cell: (guest) => whyUnknown(guest) },
        { id: "help", header: <span className="offscreen">{words.help}</span>, end: true, cell: (guest) => <Help action={helpFor(guest)} busy={busy} onRun={(name) => onRun(name, guest)} /> },
      ]}
      footer={
        guests.length > mostRows && (
          <p className={styles.pad}>
            <Link className="link" to="/fleet" search={{ view: "list", show: "unknown" }}>
              {words.moreOf(guests.length - mostRows)}
            </Link>
          </p>
        )
      }
    />
  );
}

function Help({ action, busy, onRun }: { action: Action | undefined; busy: string | null; onRun: (name: string) => void }) {
  const known = action && guestActionWords[action.name];
  if (!action || !known) return null;
  return (
    <Button size="small" icon={known.icon} reason={action.allowed ? null : (action.reason ?? words.notNow)} busy={busy === action.name} onPress={() => onRun(action.name)}>
      {known.label}
    </Button>
  );
}

/** The server's own words: why the scan gave nothing, else what is missing for one. */
function whyUnknown({ updates, reach, actions }: Guest): string | null {
  return updates.reason ?? reach.needs_step ?? actions.find((action) => action.name === "scan" && !action.allowed)?.reason ?? null;
}

/** A way in first, where there is none but by hand; else a scan. */
function helpFor({ reach, actions }: Guest): Action | undefined {
  const find = (name: string) => actions.find((action) => action.name === name);
  return !reach.best || reach.best === "by_hand" ? (find("install_agent") ?? find("scan")) : find("scan");
}
