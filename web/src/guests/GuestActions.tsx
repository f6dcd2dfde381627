import { Ellipsis } from "lucide-react";
import { MenuTrigger } from "react-aria-components/Menu";
import { Button as AriaButton } from "react-aria-components/Button";
import { asCurl, call } from "../api/call";
import type { Guest } from "../api/model";
import { Button } from "../parts/Button";
import { copyAndSay } from "../parts/copy";
import { Menu, MenuPopover } from "../parts/Menu";
import { words as partWords } from "../parts/words";
import { bulkActions, guestActionWords } from "./actions";
import styles from "./GuestActions.module.css";
import { useGuestAction } from "./useGuestAction";

/** Whether an action stands on the page itself; the others are in the menu. */
const isShown = (name: string, guest: Guest) => name === "scan" || (name === "install_agent" && guest.agent.state === "none");

/** What can be done with this guest: as the server says it, with the reason where it is not possible. */
export function GuestActions({ guest }: { guest: Guest }) {
  const { run, busy, dialog } = useGuestAction();
  const known = guest.actions.filter((action) => guestActionWords[action.name]);
  const copy = (name: string) => {
    const action = bulkActions.find((each) => each.name === name);
    const curl = asCurl(action ? action.call([guest.id]) : call("get", "/api/v1/guests/{id}", { path: { id: guest.id } }));
    void copyAndSay(curl);
  };
  const primary = known.find((action) => action.name === "install_agent" && action.allowed) ? "install_agent" : "scan";
  return (
    <>
      {known
        .filter((action) => isShown(action.name, guest))
        .map(({ name, allowed, reason }) => (
          <Button
            key={name}
            look={name === primary && allowed ? "primary" : "plain"}
            icon={guestActionWords[name]?.icon}
            reason={allowed ? null : (reason ?? "Not possible now.")}
            busy={busy === name}
            onPress={() => run(name, guest)}
          >
            {guestActionWords[name]?.label}
          </Button>
        ))}
      <MenuTrigger>
        <AriaButton className={styles.more} aria-label={partWords.moreActions}>
          <Ellipsis size={16} aria-hidden />
        </AriaButton>
        <MenuPopover>
          <Menu
            title={guest.name}
            entries={[
              ...known
                .filter((action) => !isShown(action.name, guest))
                .map(({ name, allowed, reason }) => ({
                  id: name,
                  label: guestActionWords[name]?.label ?? name,
                  icon: guestActionWords[name]?.icon,
                  reason: allowed ? null : (reason ?? "Not possible now."),
                  run: () => run(name, guest),
                })),
              ...["scan", "install_agent", "read"].map((name) => ({
                id: `copy-${name}`,
                label: `${partWords.copyAsApiCall}: ${guestActionWords[name]?.label.toLowerCase() ?? "this guest"}`,
                run: () => copy(name),
              })),
            ]}
          />
        </MenuPopover>
      </MenuTrigger>
      {dialog}
    </>
  );
}
