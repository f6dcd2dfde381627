import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call, send } from "../api/call";
import { keys } from "../api/keys";
import type { Role, Token } from "../api/model";
import { Problem } from "../api/problem";
import { queries } from "../api/queries";
import { Ago } from "../parts/Ago";
import { Button } from "../parts/Button";
import { CopyBlock } from "../parts/CopyBlock";
import { Dialog } from "../parts/Dialog";
import { Empty } from "../parts/Empty";
import { Field } from "../parts/Field";
import { ProblemNote } from "../parts/ProblemNote";
import { Skeleton } from "../parts/Skeleton";
import { Table } from "../parts/Table";
import { words as partWords } from "../parts/words";
import { date } from "../words/time";
import { ConfirmDialog } from "./ConfirmDialog";
import { RoleSelect } from "./RoleSelect";
import styles from "./settings.module.css";
import { words } from "./words";

const text = words.tokens;

export function TokensSection() {
  const tokens = useQuery(queries.tokens);
  const cache = useQueryClient();
  const [adding, setAdding] = useState(false);
  const [revoking, setRevoking] = useState<Token | null>(null);
  const refresh = () => cache.invalidateQueries({ queryKey: keys.tokens });
  return (
    <>
      <div className={styles.head}>
        <p className={styles.lead}>{text.lead}</p>
        <Button look="primary" onPress={() => setAdding(true)}>{text.add}</Button>
      </div>
      {tokens.error && <div className={styles.head}><ProblemNote error={tokens.error} onRetry={() => void tokens.refetch()} /></div>}
      {tokens.isPending && <Skeleton rows={3} what={words.sections.tokens} />}
      {tokens.data?.length === 0 && <Empty title={text.empty}>{text.emptyText}</Empty>}
      {tokens.data && tokens.data.length > 0 && (
        <Table
          label={words.sections.tokens}
          rows={tokens.data}
          rowKey={(token) => token.id}
          columns={[
            { id: "name", header: text.name, head: true, cell: (token) => token.name },
            { id: "role", header: text.role, cell: (token) => token.role },
            { id: "created", header: text.created, quiet: true, cell: (token) => token.created_at && <Ago at={token.created_at} /> },
            { id: "expires", header: text.expires, quiet: true, cell: (token) => (token.expires_at ? date(token.expires_at) : text.never) },
            { id: "used", header: text.used, quiet: true, cell: (token) => (token.last_used_at ? <Ago at={token.last_used_at} /> : text.never) },
            { id: "revoke", header: <span className="offscreen">{words.actions}</span>, end: true, cell: (token) => <Button size="small" look="danger" onPress={() => setRevoking(token)}>{text.revoke}</Button> },
          ]}
        />
      )}
      {adding && <AddTokenDialog onClose={() => setAdding(false)} onAdded={refresh} />}
      {revoking && (
        <ConfirmDialog
          title={text.revokeTitle(revoking.name)}
          text={text.revokeText}
          action={text.revokeDo}
          run={() => send(call("delete", "/api/v1/tokens/{id}", { path: { id: revoking.id } }))}
          onDone={refresh}
          onClose={() => setRevoking(null)}
        />
      )}
    </>
  );
}

function AddTokenDialog({ onClose, onAdded }: { onClose: () => void; onAdded: () => void }) {
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const [days, setDays] = useState("90");
  const add = useMutation({
    mutationFn: () => send(call("post", "/api/v1/tokens", { body: { name: name.trim(), role, ...(Number(days) > 0 ? { expires_at: new Date(Date.now() + Number(days) * 86_400_000).toISOString() } : {}) } })),
    onSuccess: onAdded,
  });
  const secret = add.data?.secret;
  if (secret) {
    return (
      <Dialog title={text.madeTitle} keep closeButton onClose={onClose} footer={<Button look="primary" onPress={onClose}>{partWords.close}</Button>}>
        <p>{partWords.showSecret}</p>
        <CopyBlock text={secret} label={name} wrap />
      </Dialog>
    );
  }
  const fields = add.error ? Problem.of(add.error).fields : new Map<string, string>();
  return (
    <Dialog
      title={text.addTitle}
      keep={name !== ""}
      closeButton
      onClose={onClose}
      footer={
        <>
          <Button look="ghost" onPress={onClose}>{words.cancel}</Button>
          <Button look="primary" busy={add.isPending} reason={name.trim() ? null : "Give the token a name first."} onPress={() => add.mutate()}>{text.addDo}</Button>
        </>
      }
    >
      <Field label={text.name} value={name} onChange={setName} error={fields.get("name")} autoFocus required />
      <RoleSelect label={text.role} value={role} onChange={setRole} />
      <Field label={text.days} value={days} onChange={setDays} type="number" hint={text.daysHint} error={fields.get("expires_at")} />
      {add.error && <ProblemNote error={add.error} />}
    </Dialog>
  );
}
