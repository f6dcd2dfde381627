import type { Role } from "../api/model";
import styles from "./settings.module.css";
import { words } from "./words";

const roles: readonly Role[] = ["viewer", "operator", "admin"];

export function RoleSelect({ label, value, onChange, disabled }: { label: string; value: Role; onChange: (role: Role) => void; disabled?: boolean }) {
  return (
    <select className={styles.select} aria-label={label} value={value} disabled={disabled} onChange={(event) => onChange(roles.find((role) => role === event.target.value) ?? "viewer")}>
      {roles.map((role) => (
        <option key={role} value={role}>
          {words.users.roles[role]}
        </option>
      ))}
    </select>
  );
}
