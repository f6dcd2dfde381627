import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { call, send } from "../api/call";
import { keys } from "../api/keys";
import { Problem } from "../api/problem";
import { queries } from "../api/queries";
import { Button } from "../parts/Button";
import { Field } from "../parts/Field";
import { Note } from "../parts/Note";
import { ProblemNote } from "../parts/ProblemNote";
import { Frame } from "./Frame";
import styles from "./Frame.module.css";
import { words } from "./words";

type Proof = { name: string; password: string } | { link: string };

export function SignInPage() {
  const { next, link: asked, ended } = useSearch({ from: "/sign-in" });
  const cache = useQueryClient();
  const navigate = useNavigate();
  const session = useQuery(queries.session);
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const signIn = useMutation({
    mutationFn: (proof: Proof) => send(call("post", "/api/v1/session", { body: proof })),
    onSuccess: async () => {
      await cache.resetQueries({ queryKey: keys.session });
      await navigate({ to: next?.startsWith("/") && !next.startsWith("//") ? next : "/", replace: true });
    },
  });

  // The link works once: it is used once, also when React mounts the page twice.
  const link = asked ?? new URLSearchParams(location.hash.slice(1)).get("link");
  const used = useRef<string | null>(null);
  const { mutate } = signIn;
  useEffect(() => {
    if (!link || used.current === link) return;
    used.current = link;
    mutate({ link });
  }, [link, mutate]);
  useEffect(() => {
    document.title = `${words.signInTitle} · Muster`;
    if (session.data?.setup_needed) void navigate({ to: "/setup", replace: true });
  }, [session.data, navigate]);

  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    signIn.mutate({ name, password });
  };
  const byLink = signIn.variables !== undefined && "link" in signIn.variables;
  if (byLink && (signIn.isPending || signIn.isSuccess)) return <Frame title={words.byLink}><p role="status">…</p></Frame>;
  return (
    <Frame title={words.signInTitle}>
      <form className={styles.form} onSubmit={onSubmit}>
        {ended && !signIn.error && <Note kind="info">{words.ended}</Note>}
        {session.data?.demo && <Note kind="info">{words.demo}</Note>}
        {signIn.error && (byLink && Problem.of(signIn.error).status !== 0 ? <Note kind="bad">{words.linkFailed}</Note> : <ProblemNote error={signIn.error} />)}
        <Field label={words.name} value={name} onChange={setName} autoComplete="username" autoFocus required />
        <Field label={words.password} value={password} onChange={setPassword} type="password" autoComplete="current-password" required />
        <Button look="primary" type="submit" busy={signIn.isPending}>
          {words.signIn}
        </Button>
      </form>
    </Frame>
  );
}
