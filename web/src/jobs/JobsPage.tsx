import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import type { Job } from "../api/model";
import { queries } from "../api/queries";
import { Page } from "../app/Page";
import { Ago, Lasting } from "../parts/Ago";
import { Choice } from "../parts/Choice";
import { Empty } from "../parts/Empty";
import { ProblemNote } from "../parts/ProblemNote";
import { Skeleton } from "../parts/Skeleton";
import { State } from "../parts/State";
import { Table } from "../parts/Table";
import { jobLook } from "./looks";
import { type JobShow, jobShows, matchesShow } from "./show";
import { words } from "./words";

export function JobsPage() {
  const jobs = useQuery(queries.jobs);
  const { show = "all" } = useSearch({ from: "/shell/jobs" });
  const navigate = useNavigate({ from: "/jobs" });
  const choose = (next: JobShow) => void navigate({ search: { show: next === "all" ? undefined : next }, replace: true });
  const shown = jobs.data?.filter((job) => matchesShow(job, show)) ?? [];
  return (
    <Page title={words.title} actions={<Choice label={words.showing} value={show} onChange={choose} options={jobShows.map((value) => ({ value, label: words.shows[value] }))} />}>
      {jobs.error && <Page.Section plain><ProblemNote error={jobs.error} onRetry={() => void jobs.refetch()} /></Page.Section>}
      {jobs.isPending && <Skeleton what={words.title} />}
      {jobs.data?.length === 0 && <Empty title={words.emptyTitle}>{words.emptyText}</Empty>}
      {jobs.data && jobs.data.length > 0 && shown.length === 0 && <Empty title={words.noneShown}>{words.noneShownText}</Empty>}
      {shown.length > 0 && (
        <Table
          label={words.title}
          rows={shown}
          rowKey={(job) => job.id}
          columns={[
            { id: "job", header: words.job, head: true, long: true, cell: (job) => <Link className="rowLink" to="/jobs/$job" params={{ job: job.id }}>{job.title}</Link> },
            { id: "state", header: words.state, cell: (job) => <JobState job={job} /> },
            { id: "targets", header: words.targets, quiet: true, cell: (job) => <JobProgress job={job} /> },
            { id: "by", header: words.by, quiet: true, cell: (job) => job.created_by },
            { id: "when", header: words.when, cell: (job) => <span className="third"><Ago at={job.created_at} /></span> },
            { id: "took", header: words.took, quiet: true, cell: (job) => job.started_at && <Lasting from={job.started_at} to={job.finished_at} /> },
          ]}
        />
      )}
    </Page>
  );
}

function JobState({ job }: { job: Job }) {
  const look = jobLook(job.state);
  return <State glyph={look.glyph} tone={look.tone}>{look.word}</State>;
}

function JobProgress({ job: { progress } }: { job: Job }) {
  const parts = [
    progress.total > 0 ? words.progress(progress.done, progress.total) : "",
    progress.failed > 0 ? words.failedPart(progress.failed) : "",
    progress.skipped > 0 ? words.skippedPart(progress.skipped) : "",
  ];
  return <>{parts.filter(Boolean).join(", ")}</>;
}
