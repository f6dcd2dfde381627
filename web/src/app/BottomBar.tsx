import { Link } from "@tanstack/react-router";
import { Menu as MenuIcon, Search } from "lucide-react";
import { useState } from "react";
import { Button as AriaButton } from "react-aria-components/Button";
import { Dialog } from "../parts/Dialog";
import { openOverlay } from "./overlay";
import { adminPlaces, places } from "./navigation";
import { RailFoot } from "./RailFoot";
import styles from "./BottomBar.module.css";
import { words } from "./words";

/** The navigation of phones: the four places of every day, the others behind "More". */
export function BottomBar() {
  const [open, setOpen] = useState(false);
  return (
    <>
      <nav className={styles.bar} aria-label={words.navigation}>
        {places.map(({ to, label, icon }) => (
          <Link key={to} to={to} activeOptions={{ exact: to === "/" }} className={styles.place}>
            {icon}
            {label}
          </Link>
        ))}
        <AriaButton className={styles.place} onPress={() => setOpen(true)}>
          <MenuIcon size={15} aria-hidden />
          {words.more}
        </AriaButton>
      </nav>
      {open && (
        <Dialog title={words.more} onClose={() => setOpen(false)}>
          <ul className={styles.list}>
            <li>
              <button
                type="button"
                className={styles.entry}
                onClick={() => {
                  setOpen(false);
                  openOverlay("palette");
                }}
              >
                <Search size={15} aria-hidden />
                {words.find}
              </button>
            </li>
            {adminPlaces.map(({ to, label, icon }) => (
              <li key={to}>
                <Link to={to} className={styles.entry} onClick={() => setOpen(false)}>
                  {icon}
                  {label}
                </Link>
              </li>
            ))}
          </ul>
          <RailFoot />
        </Dialog>
      )}
    </>
  );
}
