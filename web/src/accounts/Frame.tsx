import type { ReactNode } from "react";
import { Brand } from "../app/Brand";
import { words } from "../app/words";
import styles from "./Frame.module.css";

/** The page around forms that stand before the sign-in. */
export function Frame({ title, children }: { title: string; children: ReactNode }) {
  return (
    <main className={styles.frame}>
      <div className={styles.card}>
        <p className={styles.brand}>
          <Brand />
          {words.product}
        </p>
        <h1>{title}</h1>
        {children}
      </div>
    </main>
  );
}
