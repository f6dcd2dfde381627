import { Link, Outlet } from "@tanstack/react-router";
import { Page } from "../app/Page";
import styles from "./settings.module.css";
import { words } from "./words";

const sections = ["clusters", "users", "tokens", "system"] as const;

export function SettingsPage() {
  return (
    <Page title={words.title}>
      <nav className={styles.nav} aria-label={words.title}>
        {sections.map((section) => (
          <Link key={section} to={`/settings/${section}`} className={styles.tab}>
            {words.sections[section]}
          </Link>
        ))}
      </nav>
      <Page.Scroll>
        <Outlet />
      </Page.Scroll>
    </Page>
  );
}
