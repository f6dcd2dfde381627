import type { Job } from "../api/model";

/** The quick views of the list of jobs; which one is in the address. */
export const jobShows = ["all", "asked", "running", "failed"] as const;
export type JobShow = (typeof jobShows)[number];

/** What Muster starts by itself is started in its own name. */
const itself = "muster";

export function matchesShow(job: Job, show: JobShow): boolean {
  switch (show) {
    case "all":
      return true;
    case "asked":
      return job.created_by !== itself;
    case "running":
      return !job.finished_at;
    case "failed":
      return job.state === "failed" || job.state === "partly";
  }
}
