import type { Guest } from "../api/model";
import { Ago } from "../parts/Ago";
import { Button } from "../parts/Button";
import { guestActionWords } from "./actions";
import styles from "./AgentCard.module.css";
import { AgentState } from "./GuestState";
import { useGuestAction } from "./useGuestAction";
import { pageWords as words } from "./words";

/** The agent of this guest: its state and version, or the line that brings one in. */
export function AgentCard({ guest }: { guest: Guest }) {
  const { run, busy, dialog } = useGuestAction();
  const { agent } = guest;
  const install = guest.actions.find((action) => action.name === (agent.state === "none" ? "install_agent" : "reinstall_agent"));
  return (
    <section className={styles.card}>
      <div className={styles.head}>
        <h2>{words.agent}</h2>
        <AgentState agent={agent} />
      </div>
      <p className={styles.text}>
        {agent.state === "none" && !agent.reason && words.agentNone}
        {agent.reason}
        {agent.version && ` ${words.agentVersion(agent.version)}`}
        {agent.last_seen_at && agent.state !== "online" && (
          <>
            , {words.lastSeen} <Ago at={agent.last_seen_at} suffix=" ago" />
          </>
        )}
      </p>
      {install && (
        <div>
          <Button size="small" reason={install.allowed ? null : (install.reason ?? "Not possible now.")} busy={busy === install.name} icon={guestActionWords[install.name]?.icon} onPress={() => run(install.name, guest)}>
            {guestActionWords[install.name]?.label}
          </Button>
          {!install.allowed && install.reason && <p className={styles.why}>{install.reason}</p>}
        </div>
      )}
      {dialog}
    </section>
  );
}
