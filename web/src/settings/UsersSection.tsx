import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call, send } from "../api/call";
import { keys } from "../api/keys";
import type { Role, User } from "../api/model";
import { Problem } from "../api/problem";
import { queries } from "../api/queries";
import { useHasRole, useSession } from "../app/session";
import { Ago } from "../parts/Ago";
import { Button } from "../parts/Button";
import { Dialog } from "../parts/Dialog";
import { Field } from "../parts/Field";
import { Note } from "../parts/Note";
import { ProblemNote } from "../parts/ProblemNote";
import { Skeleton } from "../parts/Skeleton";
import { Table } from "../parts/Table";
import { toastProblem } from "../parts/toast";
import { ConfirmDialog } from "./ConfirmDialog";
import { RoleSelect } from "./RoleSelect";
import styles from "./settings.module.css";
import { words } from "./words";

const text = words.users;

export function UsersSection() {
  const isAdmin = useHasRole("admin");
  if (!isAdmin) return <div className={styles.head}><Note kind="info">{words.onlyAdmin}</Note></div>;
  return <Users />;
}

function Users() {
  const users = useQuery(queries.users);
  const cache = useQueryClient();
  const { user: me } = useSession();
  const [adding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<User | null>(null);
  const refresh = () => cache.invalidateQueries({ queryKey: keys.users });
  const changeRole = useMutation({ mutationFn: ({ id, role }: { id: string; role: Role }) => send(call("patch", "/api/v1/users/{id}", { path: { id }, body: { role } })), onSuccess: refresh, onError: toastProblem });
  return (
    <>
      <div className={styles.head}>
        <span />
        <Button look="primary" onPress={() => setAdding(true)}>{text.add}</Button>
      </div>
      {users.error && <div className={styles.head}><ProblemNote error={users.error} onRetry={() => void users.refetch()} /></div>}
      {users.isPending && <Skeleton rows={3} what={words.sections.users} />}
      {users.data && (
        <Table
          label={words.sections.users}
          rows={users.data}
          rowKey={(user) => user.id}
          columns={[
            { id: "name", header: text.name, head: true, cell: (user) => <>{user.name} {user.id === me?.id && <span className="third">{text.you}</span>}</> },
            { id: "role", header: text.role, cell: (user) => <RoleSelect label={text.roleOf(user.name)} value={user.role} disabled={user.id === me?.id} onChange={(role) => changeRole.mutate({ id: user.id, role })} /> },
            { id: "seen", header: text.seen, quiet: true, cell: (user) => user.signed_in_at && <Ago at={user.signed_in_at} /> },
            { id: "remove", header: <span className="offscreen">{words.actions}</span>, end: true, cell: (user) => <Button size="small" look="danger" reason={user.id === me?.id ? text.notYourself : null} onPress={() => setRemoving(user)}>{text.remove}</Button> },
          ]}
        />
      )}
      {adding && <AddUserDialog onClose={() => setAdding(false)} onAdded={refresh} />}
      {removing && (
        <ConfirmDialog
          title={text.removeTitle(removing.name)}
          text={text.removeText}
          action={text.removeDo}
          run={() => send(call("delete", "/api/v1/users/{id}", { path: { id: removing.id } }))}
          onDone={refresh}
          onClose={() => setRemoving(null)}
        />
      )}
    </>
  );
}

function AddUserDialog({ onClose, onAdded }: { onClose: () => void; onAdded: () => void }) {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [role, setRole] = useState<Role>("operator");
  const add = useMutation({
    mutationFn: () => send(call("post", "/api/v1/users", { body: { name: name.trim(), role, password } })),
    onSuccess: () => {
      onAdded();
      onClose();
    },
  });
  const fields = add.error ? Problem.of(add.error).fields : new Map<string, string>();
  return (
    <Dialog
      title={text.addTitle}
      keep={name !== "" || password !== ""}
      closeButton
      onClose={onClose}
      footer={
        <>
          <Button look="ghost" onPress={onClose}>{words.cancel}</Button>
          <Button look="primary" busy={add.isPending} onPress={() => add.mutate()}>{text.addDo}</Button>
        </>
      }
    >
      <Field label={text.name} value={name} onChange={setName} error={fields.get("name")} autoFocus required />
      <Field label={text.password} value={password} onChange={setPassword} type="password" autoComplete="new-password" error={fields.get("password")} required />
      <RoleSelect label={text.role} value={role} onChange={setRole} />
      {add.error && <ProblemNote error={add.error} />}
    </Dialog>
  );
}
