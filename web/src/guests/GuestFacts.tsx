import type { ReactNode } from "react";
import type { Guest } from "../api/model";
import { Ago } from "../parts/Ago";
import { Chip } from "../parts/Chip";
import { Facts } from "../parts/Facts";
import { binarySize } from "../words/size";
import styles from "./GuestFacts.module.css";
import { pageWords as words } from "./words";

/** What PVE says about the guest. What is not known is left out, not shown as zero. */
export function GuestFacts({ guest }: { guest: Guest }) {
  const facts: readonly (readonly [string, ReactNode])[] = [
    [words.cpus, guest.cpus],
    [words.memory, guest.memory_max ? binarySize(guest.memory_max) : null],
    [words.disk, guest.disk_max ? binarySize(guest.disk_max) : null],
    [words.address, guest.addresses.length > 0 ? guest.addresses.join(", ") : null],
    [words.unprivileged, guest.kind === "lxc" && guest.unprivileged != null ? (guest.unprivileged ? words.isUnprivileged : words.isPrivileged) : null],
    [words.console, guest.cmode ? `${guest.cmode === "shell" ? words.consoleShell : words.consoleLogin} (cmode=${guest.cmode})` : null],
    [words.mounts, guest.has_mounts ? words.hasMounts : null],
    [words.pool, guest.pool],
    [words.tags, guest.tags.length > 0 ? <span key="tags" className={styles.tags}>{guest.tags.map((tag) => <Chip key={tag} look="quiet">{tag}</Chip>)}</span> : null],
    [words.firstSeen, <Ago key="seen" at={guest.first_seen_at} suffix=" ago" />],
  ];
  return (
    <section className={styles.facts}>
      <h2>{words.facts}</h2>
      <Facts facts={facts} />
    </section>
  );
}
