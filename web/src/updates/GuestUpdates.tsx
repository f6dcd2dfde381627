import { Link } from "@tanstack/react-router";
import type { Guest } from "../api/model";
import { GuestStatus } from "../guests/GuestState";
import { shortSystem } from "../guests/system";
import { UpdateCount } from "../guests/UpdateCount";
import { words as fleetWords } from "../fleet/words";
import { Ago } from "../parts/Ago";
import { Table } from "../parts/Table";
import { GuestName } from "./GuestName";
import styles from "./UpdatesPage.module.css";
import { words } from "./words";

/** More rows than anybody reads on a home page; the fleet's list has all of them. */
const mostRows = 200;

/** The guests that are out of date, those with the most security updates first. */
export function GuestUpdates({ guests }: { guests: readonly Guest[] }) {
  return (
    <Table
      label={words.by.guest}
      rows={guests.slice(0, mostRows)}
      rowKey={(guest) => guest.id}
      columns={[
        { id: "guest", header: words.guest, head: true, cell: (guest) => <GuestName guest={guest} /> },
        { id: "updates", header: words.updates, cell: (guest) => <UpdateCount updates={guest.updates} /> },
        { id: "status", header: fleetWords.columns.status, quiet: true, cell: (guest) => <GuestStatus guest={guest} /> },
        { id: "system", header: words.system, quiet: true, cell: (guest) => guest.system ? shortSystem(guest.system.name) : fleetWords.dash },
        { id: "scanned", header: words.scanned, quiet: true, cell: (guest) => guest.updates.scanned_at && <Ago at={guest.updates.scanned_at} /> },
      ]}
      footer={
        guests.length > mostRows && (
          <p className={styles.pad}>
            <Link className="link" to="/fleet" search={{ view: "list", show: "outdated" }}>
              {words.moreOf(guests.length - mostRows)}
            </Link>
          </p>
        )
      }
    />
  );
}
