import { useQueryClient } from "@tanstack/react-query";
import { Outlet, useNavigate } from "@tanstack/react-router";
import { useEffect } from "react";
import { startLive } from "../live/start";
import { BottomBar } from "./BottomBar";
import { Rail } from "./Rail";
import { useSession } from "./session";
import styles from "./Shell.module.css";
import { Shortcuts } from "./Shortcuts";
import { useIsPhone } from "./useMedia";
import { words } from "./words";

/** The frame of the signed-in product: navigation, the page, and the live link that keeps both true. */
export function Shell() {
  const cache = useQueryClient();
  const navigate = useNavigate();
  const isPhone = useIsPhone();
  const { user } = useSession();
  useEffect(() => (user ? startLive(cache) : undefined), [cache, user]);
  useEffect(() => {
    if (!user) void navigate({ to: "/sign-in", search: { next: location.pathname + location.search, ended: true } });
  }, [user, navigate]);
  return (
    <div className={styles.app}>
      <a className={styles.skip} href="#content">
        {words.skip}
      </a>
      {!isPhone && <Rail />}
      <main id="content" className={styles.main} tabIndex={-1}>
        <Outlet />
      </main>
      {isPhone && <BottomBar />}
      <Shortcuts />
    </div>
  );
}
