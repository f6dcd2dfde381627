import { useQuery } from "@tanstack/react-query";
import { Button as AriaButton } from "react-aria-components/Button";
import { MenuTrigger } from "react-aria-components/Menu";
import { CircleUser, Monitor, Moon, LogOut, Sun } from "lucide-react";
import { queries } from "../api/queries";
import { useLinkState } from "../live/linkState";
import { Menu, MenuPopover } from "../parts/Menu";
import { LinkWords } from "./LinkWords";
import styles from "./RailFoot.module.css";
import { useSession, useSignOut } from "./session";
import { useThemeChoice } from "./theme";
import { words } from "./words";

/** Whether the page is live, who is signed in, and what stands behind that name: theme and sign-out. */
export function RailFoot() {
  const { user, version } = useSession();
  const clusters = useQuery(queries.clusters).data ?? null;
  const link = useLinkState();
  return (
    <div className={styles.foot}>
      <LinkWords link={link} clusters={clusters} />
      <div className={styles.row}>
        <AccountMenu name={user ? words.account(user.name, user.role) : ""} />
        <span className={styles.version}>{version}</span>
      </div>
    </div>
  );
}

function AccountMenu({ name }: { name: string }) {
  const [theme, chooseTheme] = useThemeChoice();
  const signOut = useSignOut();
  const icons = { system: <Monitor size={15} aria-hidden />, light: <Sun size={15} aria-hidden />, dark: <Moon size={15} aria-hidden /> };
  return (
    <MenuTrigger>
      <AriaButton className={styles.account}>
        <CircleUser className={styles.face} size={16} strokeWidth={1.75} aria-hidden />
        <span className={styles.name}>{name}</span>
      </AriaButton>
      <MenuPopover>
        <Menu
          title={`${words.theme}: ${words.themes[theme]}`}
          entries={[
            ...(["system", "light", "dark"] as const).map((choice) => ({ id: choice, label: words.themes[choice], icon: icons[choice], run: () => chooseTheme(choice) })),
            { id: "sign-out", label: words.signOut, icon: <LogOut size={15} aria-hidden />, run: () => signOut.mutate() },
          ]}
        />
      </MenuPopover>
    </MenuTrigger>
  );
}
