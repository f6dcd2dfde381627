import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { RotateCw } from "lucide-react";
import { useState } from "react";
import { asCurl, call, send } from "../api/call";
import { keys } from "../api/keys";
import type { Action, Bulk, Job, JobTarget, Tick } from "../api/model";
import { Problem } from "../api/problem";
import { queries } from "../api/queries";
import { Page } from "../app/Page";
import { Ago, Lasting } from "../parts/Ago";
import { Button } from "../parts/Button";
import { Chip, type ChipLook } from "../parts/Chip";
import { CopyButton } from "../parts/CopyButton";
import { Dialog } from "../parts/Dialog";
import { Empty } from "../parts/Empty";
import { Glyph } from "../parts/Glyph";
import { ProblemNote } from "../parts/ProblemNote";
import { RollCall } from "../parts/RollCall";
import { Skeleton } from "../parts/Skeleton";
import { toastProblem } from "../parts/toast";
import { words as partWords } from "../parts/words";
import { ByHandDialog } from "./ByHandDialog";
import styles from "./JobPage.module.css";
import { LogView } from "./LogView";
import { Targets } from "./Targets";
import { jobLook } from "./looks";
import { words } from "./words";

export function JobPage() {
  const { job: id } = useParams({ from: "/shell/jobs/$job" });
  const { target } = useSearch({ from: "/shell/jobs/$job" });
  const navigate = useNavigate({ from: "/jobs/$job" });
  const job = useQuery(queries.job(id));
  const targets = useQuery(queries.jobTargets(id));
  const pick = (next: string | null) => void navigate({ search: { target: next ?? undefined }, replace: true });
  if (job.error && Problem.of(job.error).status === 404) return <Page title={words.job} crumbs={crumbs}><Empty title={words.jobGone} /></Page>;
  if (!job.data) {
    return (
      <Page title={words.job} crumbs={crumbs}>
        {job.error ? <Page.Section plain><ProblemNote error={job.error} onRetry={() => void job.refetch()} /></Page.Section> : <Skeleton what={words.job} />}
      </Page>
    );
  }
  const chosen = targets.data?.find((each) => each.id === target) ?? null;
  return (
    <Page title={job.data.title} crumbs={crumbs} beside={<JobChip job={job.data} />} actions={<JobActions job={job.data} />}>
      <Summary job={job.data} targets={targets.data ?? []} />
      <div className={styles.split}>
        <div className={styles.targets}>
          {targets.error && <Page.Section plain><ProblemNote error={targets.error} onRetry={() => void targets.refetch()} /></Page.Section>}
          {targets.data && <Targets targets={targets.data} steps={job.data.steps} chosen={chosen?.id ?? null} onPick={pick} />}
        </div>
        <LogView key={id} job={job.data} target={chosen} onAll={() => pick(null)} />
      </div>
    </Page>
  );
}

const crumbs = [{ label: words.title, to: "/jobs" }];
const chipLooks: Readonly<Record<string, ChipLook>> = { queued: "plain", running: "blue", succeeded: "green", partly: "amber", failed: "red", cancelled: "plain" };

function JobChip({ job }: { job: Job }) {
  const look = jobLook(job.state);
  const { done, total } = job.progress;
  return (
    <Chip look={chipLooks[job.state] ?? "plain"}>
      <Glyph name={look.glyph} tone={look.tone} />
      {look.word}
      {total > 1 && `, ${words.progress(done, total)}`}
    </Chip>
  );
}

const targetTick: Readonly<Record<string, Tick>> = {
  queued: "waiting",
  waiting: "needs_attention",
  running: "running",
  succeeded: "up_to_date",
  failed: "failed",
  skipped: "off",
  cancelled: "off",
};

function Summary({ job, targets }: { job: Job; targets: readonly JobTarget[] }) {
  const { done, failed, skipped, total } = job.progress;
  return (
    <div className={styles.summary}>
      {targets.length > 1 && <RollCall ticks={targets.map((each) => ({ id: each.id, tick: targetTick[each.state] ?? "unknown", name: each.name }))} label={job.title} />}
      <dl className={styles.figures}>
        <Figure name="Done">{done}</Figure>
        <Figure name="Failed" bad={failed > 0}>{failed}</Figure>
        <Figure name="Skipped">{skipped}</Figure>
        {!job.finished_at && <Figure name="Left">{Math.max(0, total - done - failed - skipped)}</Figure>}
        {job.started_at && <Figure name={words.took}><Lasting from={job.started_at} to={job.finished_at} /></Figure>}
        <Figure name={words.by}>
          {job.created_by}, <Ago at={job.created_at} suffix=" ago" />
        </Figure>
      </dl>
    </div>
  );
}

function Figure({ name, bad, children }: { name: string; bad?: boolean; children: React.ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd className={bad ? styles.bad : undefined}>{children}</dd>
    </div>
  );
}

function JobActions({ job }: { job: Job }) {
  const cache = useQueryClient();
  const navigate = useNavigate();
  const [asking, setAsking] = useState(false);
  const [byHand, setByHand] = useState<Bulk | null>(null);
  const cancelCall = call("post", "/api/v1/jobs/{id}/cancel", { path: { id: job.id } });
  const retryCall = call("post", "/api/v1/jobs/{id}/retry", { path: { id: job.id } });
  const cancel = useMutation({
    mutationFn: () => send(cancelCall),
    onSuccess: () => {
      setAsking(false);
      void cache.invalidateQueries({ queryKey: keys.job(job.id) });
    },
  });
  const retry = useMutation({ mutationFn: () => send(retryCall), onSuccess: (answer) => (answer.by_hand ? setByHand({ ...answer, targets: [] }) : navigate({ to: "/jobs/$job", params: { job: answer.job.id } })), onError: toastProblem });
  const mayRetry = find(job.actions, "retry");
  const mayCancel = find(job.actions, "cancel");
  return (
    <>
      <CopyButton text={asCurl(mayRetry?.allowed ? retryCall : call("get", "/api/v1/jobs/{id}", { path: { id: job.id } }))} label={partWords.copyAsApiCall} />
      {mayRetry && (
        <Button icon={<RotateCw size={14} aria-hidden />} reason={mayRetry.allowed ? null : (mayRetry.reason ?? "Nothing to retry.")} busy={retry.isPending} onPress={() => retry.mutate()}>
          {words.retry}
        </Button>
      )}
      {mayCancel && (
        <Button look="danger" reason={mayCancel.allowed ? null : (mayCancel.reason ?? "The job has ended.")} onPress={() => setAsking(true)}>
          {words.cancel}
        </Button>
      )}
      {byHand && <ByHandDialog bulk={byHand} onClose={() => setByHand(null)} />}
      {asking && (
        <Dialog
          title={words.cancelTitle}
          onClose={() => setAsking(false)}
          footer={
            <>
              <Button look="ghost" onPress={() => setAsking(false)}>{words.keepRunning}</Button>
              <Button look="danger" busy={cancel.isPending} onPress={() => cancel.mutate()}>{words.cancelIt}</Button>
            </>
          }
        >
          <p>{words.cancelText}</p>
          {cancel.error && <ProblemNote error={cancel.error} />}
        </Dialog>
      )}
    </>
  );
}

function find(actions: readonly Action[], name: string): Action | undefined {
  return actions.find((action) => action.name === name);
}
