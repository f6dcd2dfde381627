import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Search } from "lucide-react";
import { queries } from "../api/queries";
import { Glyph } from "../parts/Glyph";
import { number } from "../words/plural";
import { Brand } from "./Brand";
import { openOverlay } from "./overlay";
import { adminPlaces, places } from "./navigation";
import { RailFoot } from "./RailFoot";
import styles from "./Rail.module.css";
import { words } from "./words";

/** The navigation of wide windows; below 1200 px it shows icons only. */
export function Rail() {
  const badges = useBadges();
  return (
    <header className={styles.rail}>
      <Link to="/" className={styles.brand} aria-label={words.product}>
        <Brand />
        <span className={styles.wide}>{words.product}</span>
      </Link>
      <button type="button" className={styles.find} title={words.find} aria-label={words.find} onClick={() => openOverlay("palette")}>
        <Search size={14} aria-hidden />
        <span className={styles.wide}>{words.find}</span>
        <kbd className={`${styles.keys} ${styles.wide}`}>Ctrl K</kbd>
      </button>
      <nav className={styles.nav} aria-label={words.navigation}>
        {[...places, null, ...adminPlaces].map((place) =>
          place === null ? (
            <div key="line" className={styles.line} />
          ) : (
            <Link key={place.to} to={place.to} activeOptions={{ exact: place.to === "/" }} className={styles.place} title={place.label}>
              {place.icon}
              <span className={styles.label}>{place.label}</span>
              {place.badge && badges[place.badge]}
            </Link>
          ),
        )}
      </nav>
      <RailFoot />
    </header>
  );
}

function plain(amount: number) {
  return amount > 0 ? <span className={styles.badge}>{number(amount)}</span> : null;
}

function useBadges() {
  const clusters = useQuery(queries.clusters).data;
  const jobs = useQuery(queries.jobs).data;
  const sum = (of: (rollup: NonNullable<typeof clusters>[number]["rollup"]) => number) => clusters?.reduce((total, cluster) => total + of(cluster.rollup), 0) ?? 0;
  const running = jobs?.filter((job) => job.state === "running" || job.state === "queued").length ?? 0;
  return {
    updates: plain(sum((rollup) => rollup.updates_total ?? 0)),
    guests: plain(sum((rollup) => rollup.guests)),
    jobs:
      running > 0 ? (
        <span className={styles.badge}>
          <Glyph name="working" tone="busy" />
          {number(running)}
        </span>
      ) : null,
  };
}
