import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, type ReactNode, useState } from "react";
import { call, send } from "../api/call";
import { keys } from "../api/keys";
import type { Cluster } from "../api/model";
import { Problem } from "../api/problem";
import { Page } from "../app/Page";
import { words as fleetWords } from "../fleet/words";
import { Button } from "../parts/Button";
import { Dialog } from "../parts/Dialog";
import { Field } from "../parts/Field";
import { ProblemNote } from "../parts/ProblemNote";
import { toast, toastProblem } from "../parts/toast";
import styles from "./tabs.module.css";
import { words } from "./words";

/** Name, addresses and intervals; pause, a new token, and the end of a cluster. */
export function ClusterSettings({ cluster }: { cluster: Cluster }) {
  return (
    <>
      <Page.Section>
        <EditForm cluster={cluster} />
      </Page.Section>
      <Page.Section title={words.rotate}>
        <TokenForm cluster={cluster} />
      </Page.Section>
      <Page.Section title={words.login}>
        <LoginForm cluster={cluster} />
      </Page.Section>
      <Page.Section plain>
        <PauseAndRemove cluster={cluster} />
      </Page.Section>
    </>
  );
}

function useSaved() {
  const cache = useQueryClient();
  return (cluster: Cluster) => {
    cache.setQueryData<Cluster[]>(keys.clusters, (list) => list?.map((each) => (each.id === cluster.id ? cluster : each)));
    toast(words.saved);
  };
}

function Form({ onSubmit, children }: { onSubmit: () => void; children: ReactNode }) {
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onSubmit();
  };
  return (
    <form className={styles.form} onSubmit={submit}>
      {children}
    </form>
  );
}

function reasonOf(cluster: Cluster, action: string): string | null {
  const found = cluster.actions.find((each) => each.name === action);
  return found && !found.allowed ? (found.reason ?? "Not possible now.") : null;
}

function EditForm({ cluster }: { cluster: Cluster }) {
  const saved = useSaved();
  const [name, setName] = useState(cluster.name);
  const [endpoints, setEndpoints] = useState(cluster.endpoints.join("\n"));
  const [stateSeconds, setStateSeconds] = useState(String(cluster.state_seconds));
  const [detailSeconds, setDetailSeconds] = useState(String(cluster.detail_seconds));
  const edit = useMutation({
    mutationFn: () =>
      send(
        call("patch", "/api/v1/proxmox/clusters/{id}", {
          path: { id: cluster.id },
          body: { name: name.trim(), endpoints: endpoints.split(/\s+/).filter(Boolean), state_seconds: Number(stateSeconds), detail_seconds: Number(detailSeconds) },
        }),
      ),
    onSuccess: saved,
  });
  const fields = edit.error ? Problem.of(edit.error).fields : new Map<string, string>();
  return (
    <Form onSubmit={() => edit.mutate()}>
      <Field label={words.name} value={name} onChange={setName} error={fields.get("name")} required />
      <Field label={words.endpoints} value={endpoints} onChange={setEndpoints} lines={3} hint={words.endpointsHint} error={fields.get("endpoints")} mono />
      <div className={styles.two}>
        <Field label={words.stateSeconds} value={stateSeconds} onChange={setStateSeconds} type="number" error={fields.get("state_seconds")} />
        <Field label={words.detailSeconds} value={detailSeconds} onChange={setDetailSeconds} type="number" error={fields.get("detail_seconds")} />
      </div>
      {edit.error && <ProblemNote error={edit.error} />}
      <Button type="submit" look="primary" busy={edit.isPending} reason={reasonOf(cluster, "edit")}>
        {words.save}
      </Button>
    </Form>
  );
}

function TokenForm({ cluster }: { cluster: Cluster }) {
  const saved = useSaved();
  const [tokenId, setTokenId] = useState(cluster.token_id);
  const [secret, setSecret] = useState("");
  const rotate = useMutation({
    mutationFn: () => send(call("post", "/api/v1/proxmox/clusters/{id}/token", { path: { id: cluster.id }, body: { token_id: tokenId.trim(), token_secret: secret.trim() } })),
    onSuccess: (changed) => {
      setSecret("");
      saved(changed);
    },
  });
  return (
    <Form onSubmit={() => rotate.mutate()}>
      <p className={styles.text}>{words.rotateText}</p>
      <div className={styles.two}>
        <Field label={words.tokenId} value={tokenId} onChange={setTokenId} mono />
        <Field label={words.tokenSecret} value={secret} onChange={setSecret} type="password" autoComplete="new-password" />
      </div>
      {rotate.error && <ProblemNote error={rotate.error} />}
      <Button type="submit" busy={rotate.isPending} reason={reasonOf(cluster, "rotate_token") ?? (secret.trim() ? null : "Type the new secret first.")}>
        {words.rotateDo}
      </Button>
    </Form>
  );
}

/** A user with a password opens consoles where the node's packages let no token in. */
function LoginForm({ cluster }: { cluster: Cluster }) {
  const saved = useSaved();
  const [user, setUser] = useState(cluster.login_user ?? "");
  const [password, setPassword] = useState("");
  const path = { id: cluster.id };
  const set = useMutation({
    mutationFn: () => send(call("put", "/api/v1/proxmox/clusters/{id}/login", { path, body: { user: user.trim(), password } })),
    onSuccess: (changed) => {
      setPassword("");
      saved(changed);
    },
  });
  const forget = useMutation({ mutationFn: () => send(call("delete", "/api/v1/proxmox/clusters/{id}/login", { path })), onSuccess: saved, onError: toastProblem });
  return (
    <Form onSubmit={() => set.mutate()}>
      <p className={styles.text}>{words.loginText}</p>
      <div className={styles.two}>
        <Field label={words.loginUser} value={user} onChange={setUser} hint={words.loginHint} mono />
        <Field label={words.loginPassword} value={password} onChange={setPassword} type="password" autoComplete="new-password" />
      </div>
      {set.error && <ProblemNote error={set.error} />}
      <Button type="submit" busy={set.isPending} reason={reasonOf(cluster, "rotate_token") ?? (user.trim() && password ? null : words.loginNeeds)}>
        {words.loginDo}
      </Button>
      {cluster.login_user && (
        <Button look="danger" busy={forget.isPending} reason={reasonOf(cluster, "rotate_token")} onPress={() => forget.mutate()}>
          {words.loginForget(cluster.login_user)}
        </Button>
      )}
    </Form>
  );
}

function PauseAndRemove({ cluster }: { cluster: Cluster }) {
  const saved = useSaved();
  const [removing, setRemoving] = useState(false);
  const paused = cluster.status === "paused";
  const pause = useMutation({
    mutationFn: () => send(call("patch", "/api/v1/proxmox/clusters/{id}", { path: { id: cluster.id }, body: { paused: !paused } })),
    onSuccess: saved,
    onError: toastProblem,
  });
  return (
    <div className={styles.form}>
      <p className={styles.text}>{words.pauseText}</p>
      <Button busy={pause.isPending} reason={reasonOf(cluster, paused ? "resume" : "pause")} onPress={() => pause.mutate()}>
        {paused ? words.resume : words.pause}
      </Button>
      <Button look="danger" reason={reasonOf(cluster, "remove")} onPress={() => setRemoving(true)}>
        {words.remove}
      </Button>
      {removing && <RemoveDialog cluster={cluster} onClose={() => setRemoving(false)} />}
    </div>
  );
}

function RemoveDialog({ cluster, onClose }: { cluster: Cluster; onClose: () => void }) {
  const cache = useQueryClient();
  const navigate = useNavigate();
  const [typed, setTyped] = useState("");
  const remove = useMutation({
    mutationFn: () => send(call("delete", "/api/v1/proxmox/clusters/{id}", { path: { id: cluster.id } })),
    onSuccess: async () => {
      await navigate({ to: "/settings/clusters" });
      cache.removeQueries({ queryKey: keys.tree(cluster.id) });
      await cache.invalidateQueries({ queryKey: keys.clusters });
    },
  });
  const preview = useQuery({
    queryKey: ["removal", cluster.id],
    queryFn: ({ signal }) => send(call("delete", "/api/v1/proxmox/clusters/{id}", { path: { id: cluster.id }, query: { dry_run: true } }), signal),
    gcTime: 0,
  });
  return (
    <Dialog
      title={words.removeTitle(cluster.name)}
      keep={typed !== ""}
      closeButton
      onClose={onClose}
      footer={
        <>
          <Button look="ghost" onPress={onClose}>{words.keep}</Button>
          <Button look="danger" busy={remove.isPending} reason={typed === cluster.name ? null : words.removeConfirm(cluster.name)} onPress={() => remove.mutate()}>
            {words.removeDo}
          </Button>
        </>
      }
    >
      {preview.data && <p>{words.removeText(fleetWords.guests(preview.data.guests), preview.data.agents)}</p>}
      {preview.isPending && <p role="status">{words.removeAsking}</p>}
      <Field label={words.removeConfirm(cluster.name)} value={typed} onChange={setTyped} autoFocus />
      {(remove.error ?? preview.error) && <ProblemNote error={remove.error ?? preview.error} />}
    </Dialog>
  );
}
