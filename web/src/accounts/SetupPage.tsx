import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { type FormEvent, useEffect, useState } from "react";
import { call, send } from "../api/call";
import { keys } from "../api/keys";
import { Problem } from "../api/problem";
import { Button } from "../parts/Button";
import { Field } from "../parts/Field";
import { ProblemNote } from "../parts/ProblemNote";
import { Frame } from "./Frame";
import styles from "./Frame.module.css";
import { words } from "./words";

/** Makes the first administrator, proven by the setup link from the server's terminal. */
export function SetupPage() {
  const { token: asked } = useSearch({ from: "/setup" });
  const cache = useQueryClient();
  const navigate = useNavigate();
  const fromLink = asked ?? new URLSearchParams(location.hash.slice(1)).get("token") ?? "";
  const [typed, setTyped] = useState("");
  // The link may be pasted while this page is already open: what it carries counts, not what was there before.
  const token = fromLink || typed;
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const setup = useMutation({
    mutationFn: () => send(call("post", "/api/v1/setup", { body: { token, name, password } })),
    onSuccess: async () => {
      await cache.resetQueries({ queryKey: keys.session });
      await navigate({ to: "/fleet", replace: true });
    },
  });
  useEffect(() => {
    document.title = `${words.setupTitle} · Muster`;
  }, []);
  const fields = setup.error ? Problem.of(setup.error).fields : new Map<string, string>();
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    setup.mutate();
  };
  return (
    <Frame title={words.setupTitle}>
      <p className={styles.hint}>{fromLink ? words.setupLead : words.setupMissing}</p>
      <form className={styles.form} onSubmit={onSubmit}>
        {setup.error && <ProblemNote error={setup.error} />}
        {!fromLink && <Field label={words.setupToken} value={typed} onChange={setTyped} error={fields.get("token")} mono required />}
        <Field label={words.name} value={name} onChange={setName} autoComplete="username" error={fields.get("name")} autoFocus required />
        <Field label={words.password} value={password} onChange={setPassword} type="password" autoComplete="new-password" hint={words.passwordHint} error={fields.get("password")} required />
        <Button look="primary" type="submit" busy={setup.isPending}>
          {words.create}
        </Button>
      </form>
    </Frame>
  );
}
