import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { call, send } from "../api/call";
import { keys } from "../api/keys";
import type { Settings } from "../api/model";
import { Problem } from "../api/problem";
import { queries } from "../api/queries";
import { Page } from "../app/Page";
import { useHasRole } from "../app/session";
import { useThemeChoice, themeChoices } from "../app/theme";
import { words as appWords } from "../app/words";
import { Ago } from "../parts/Ago";
import { Button } from "../parts/Button";
import { Choice } from "../parts/Choice";
import { Facts } from "../parts/Facts";
import { Field } from "../parts/Field";
import { Note } from "../parts/Note";
import { ProblemNote } from "../parts/ProblemNote";
import { Skeleton } from "../parts/Skeleton";
import { Table } from "../parts/Table";
import { toast } from "../parts/toast";
import styles from "./settings.module.css";
import { words } from "./words";

const text = words.system;

export function SystemSection() {
  const isAdmin = useHasRole("admin");
  return (
    <>
      {isAdmin ? <SettingsForms /> : <Page.Section><Note kind="info">{words.onlyAdmin}</Note></Page.Section>}
      <Page.Section title={text.appearance}>
        <Appearance />
      </Page.Section>
      <About />
    </>
  );
}

function SettingsForms() {
  const settings = useQuery(queries.settings);
  if (settings.error) return <Page.Section><ProblemNote error={settings.error} onRetry={() => void settings.refetch()} /></Page.Section>;
  if (!settings.data) return <Skeleton rows={4} what={words.sections.system} />;
  return (
    <>
      <Page.Section title={text.agents}>
        <AgentUrlForm settings={settings.data} />
      </Page.Section>
      <Page.Section title={text.scans}>
        <ScanForm settings={settings.data} />
      </Page.Section>
      <Page.Section title={text.retention}>
        <RetentionForm settings={settings.data} />
      </Page.Section>
    </>
  );
}

function useSave() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (change: Partial<Pick<Settings, "retention" | "scan_every_minutes">> & { agent_url?: string }) => send(call("patch", "/api/v1/settings", { body: change })),
    onSuccess: (changed) => {
      cache.setQueryData(keys.settings, changed);
      void cache.invalidateQueries({ queryKey: keys.system });
      toast(text.saved);
    },
  });
}

function AgentUrlForm({ settings }: { settings: Settings }) {
  const system = useQuery(queries.system);
  const [url, setUrl] = useState(settings.agent_url ?? "");
  const save = useSave();
  const error = save.error && Problem.of(save.error);
  const guesses = (system.data?.agent_url_guesses ?? []).filter((guess) => guess !== url);
  return (
    <form className={styles.form} onSubmit={(event) => submit(event, () => save.mutate({ agent_url: url.trim() }))}>
      {!settings.agent_url && <Note kind="warn">{text.missing}</Note>}
      <Field label={text.agentUrl} value={url} onChange={setUrl} type="url" hint={text.agentUrlHint} error={error?.fields.get("agent_url")} />
      {guesses.length > 0 && (
        <div className={styles.guesses}>
          {text.guesses}
          {guesses.map((guess) => (
            <Button key={guess} size="small" onPress={() => setUrl(guess)}>
              {text.take(guess)}
            </Button>
          ))}
        </div>
      )}
      {error && !error.fields.has("agent_url") && <ProblemNote error={error} />}
      <Button type="submit" look="primary" busy={save.isPending}>{text.save}</Button>
    </form>
  );
}

function ScanForm({ settings }: { settings: Settings }) {
  const [minutes, setMinutes] = useState(String(settings.scan_every_minutes));
  const save = useSave();
  const error = save.error && Problem.of(save.error);
  return (
    <form className={styles.form} onSubmit={(event) => submit(event, () => save.mutate({ scan_every_minutes: Number(minutes) }))}>
      <Field label={text.scanEvery} value={minutes} onChange={setMinutes} type="number" error={error?.fields.get("scan_every_minutes")} />
      {error && error.fields.size === 0 && <ProblemNote error={error} />}
      <Button type="submit" busy={save.isPending}>{text.save}</Button>
    </form>
  );
}

const retentionParts = ["jobs", "log", "audit", "discovery"] as const;

function RetentionForm({ settings }: { settings: Settings }) {
  const [days, setDays] = useState(() => Object.fromEntries(retentionParts.map((part) => [part, String(settings.retention[`${part}_days`])])) as Record<(typeof retentionParts)[number], string>);
  const save = useSave();
  const fields = save.error ? Problem.of(save.error).fields : new Map<string, string>();
  const retention = { jobs_days: Number(days.jobs), log_days: Number(days.log), audit_days: Number(days.audit), discovery_days: Number(days.discovery) };
  return (
    <form className={styles.form} onSubmit={(event) => submit(event, () => save.mutate({ retention }))}>
      <div className={styles.numbers}>
        {retentionParts.map((part) => (
          <Field key={part} label={text[part]} value={days[part]} onChange={(value) => setDays({ ...days, [part]: value })} type="number" error={fields.get(`${part}_days`)} />
        ))}
      </div>
      {save.error && fields.size === 0 && <ProblemNote error={save.error} />}
      <Button type="submit" busy={save.isPending}>{text.save}</Button>
    </form>
  );
}

function Appearance() {
  const [theme, choose] = useThemeChoice();
  return <Choice label={text.theme} hideLabel={false} value={theme} onChange={choose} options={themeChoices.map((value) => ({ value, label: appWords.themes[value] }))} />;
}

function About() {
  const system = useQuery(queries.system);
  if (!system.data) return system.error ? <Page.Section><ProblemNote error={system.error} onRetry={() => void system.refetch()} /></Page.Section> : null;
  const { version, database, reconcilers, limits } = system.data;
  return (
    <>
      <Page.Section title={text.about}>
        <Facts facts={[[text.version, version], [text.database, database], ...Object.entries(limits).map(([name, value]) => [name.replaceAll("_", " "), typeof value === "object" ? JSON.stringify(value) : String(value)] as const)]} />
      </Page.Section>
      {reconcilers.length > 0 && (
        <Table
          label={text.reconcilers}
          rows={reconcilers}
          rowKey={(loop) => loop.name}
          columns={[
            { id: "loop", header: text.loop, head: true, cell: (loop) => loop.name },
            { id: "state", header: text.state, cell: (loop) => [loop.state, loop.detail].filter(Boolean).join(", ") },
            { id: "last", header: text.last, quiet: true, cell: (loop) => loop.last_run_at && <Ago at={loop.last_run_at} /> },
          ]}
        />
      )}
    </>
  );
}

function submit(event: FormEvent, run: () => void): void {
  event.preventDefault();
  run();
}
