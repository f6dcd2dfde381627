import { Link } from "@tanstack/react-router";
import { ChevronRight } from "lucide-react";
import { Fragment, type ReactNode, useEffect } from "react";
import styles from "./Page.module.css";
import { words } from "./words";

interface Crumb {
  readonly label: string;
  readonly to: string;
}

export interface PageProps {
  title: string;
  crumbs?: readonly Crumb[];
  /** Beside the title: a count, a key, a state. */
  beside?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}

/** The frame of every page: the bar with its one heading, below it what scrolls. */
export function Page({ title, crumbs = [], beside, actions, children }: PageProps) {
  useEffect(() => {
    document.title = `${title} · ${words.product}`;
  }, [title]);
  return (
    <div className={styles.page}>
      <header className={styles.top}>
        {crumbs.length > 0 && (
          <nav className={styles.crumbs} aria-label="Breadcrumb">
            {crumbs.map((crumb) => (
              <Fragment key={crumb.to}>
                <Link to={crumb.to} className={styles.crumb}>
                  {crumb.label}
                </Link>
                <ChevronRight size={14} aria-hidden />
              </Fragment>
            ))}
          </nav>
        )}
        <h1 className={crumbs.length > 0 ? styles.crumbTitle : styles.title}>{title}</h1>
        {beside && <span className={styles.beside}>{beside}</span>}
        {actions && <div className={styles.actions}>{actions}</div>}
      </header>
      {children}
    </div>
  );
}

/** A part of a page with the page's margins. */
Page.Section = function Section({ children, title, plain }: { children: ReactNode; title?: ReactNode; plain?: boolean }) {
  return (
    <section className={plain ? styles.plainSection : styles.section}>
      {title && <h2 className={styles.heading}>{title}</h2>}
      {children}
    </section>
  );
};

/** What scrolls on a page that is not one table. */
Page.Scroll = function Scroll({ children }: { children: ReactNode }) {
  return <div className={styles.scroll}>{children}</div>;
};
