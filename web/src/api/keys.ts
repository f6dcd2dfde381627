/** The names under which answers are cached. Events from the server are applied to the same names. */
export const keys = {
  session: ["session"] as const,
  system: ["system"] as const,
  settings: ["settings"] as const,
  users: ["users"] as const,
  tokens: ["tokens"] as const,
  audit: ["audit"] as const,
  clusters: ["clusters"] as const,
  tree: (cluster: string) => ["tree", cluster] as const,
  discoveries: (cluster: string) => ["discoveries", cluster] as const,
  rights: (cluster: string) => ["rights", cluster] as const,
  guest: (id: string) => ["guest", id] as const,
  guestUpdates: (id: string) => ["guest-updates", id] as const,
  jobs: ["jobs"] as const,
  job: (id: string) => ["job", id] as const,
  jobLogEnds: ["job-log-end"] as const,
  /** The number of the newest line of a job's log, as events tell it. */
  jobLogEnd: (id: string) => ["job-log-end", id] as const,
  jobTargets: (id: string) => ["job-targets", id] as const,
};
