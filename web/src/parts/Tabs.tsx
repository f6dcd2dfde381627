import type { ReactNode } from "react";
import { Tab, TabList, TabPanel, Tabs as AriaTabs } from "react-aria-components/Tabs";
import { number } from "../words/plural";
import styles from "./Tabs.module.css";

/** The parts of a page, one at a time; which one is in the URL. */
export function Tabs({ label, tabs, chosen, onChoose, children }: { label: string; tabs: readonly { id: string; label: string; count?: number }[]; chosen: string; onChoose: (id: string) => void; children: ReactNode }) {
  return (
    <AriaTabs className={styles.tabs} selectedKey={chosen} onSelectionChange={(key) => onChoose(String(key))}>
      <TabList aria-label={label} className={styles.list}>
        {tabs.map((tab) => (
          <Tab key={tab.id} id={tab.id} className={styles.tab}>
            {tab.label}
            {tab.count !== undefined && <span className={styles.count}>{number(tab.count)}</span>}
          </Tab>
        ))}
      </TabList>
      <TabPanel id={chosen} className={styles.panel}>
        {children}
      </TabPanel>
    </AriaTabs>
  );
}
