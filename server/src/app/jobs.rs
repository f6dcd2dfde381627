//! Jobs as people and scripts see them: asking for one, looking, stopping, trying again.

use muster_domain::access::Role;
use muster_domain::actions::Action;
use muster_domain::job::{JobState, TargetState, Work};
use muster_domain::{ClusterId, GuestId, JobId, TargetId};
use muster_store::Tx;
use muster_store::job_log::LogRow;
use muster_store::job_targets::{NewTarget, TargetRow};
use muster_store::jobs::{JobFilter, JobRow, NewJob};

use super::installs::{ByHand, Wanted};
use super::selection::Selection;
use super::{App, Ctx, Error, fleet};
use crate::jobs::{Step, job_changed, job_ended};

/// A job to be queued.
pub struct JobOrder {
    /// What it does.
    pub work: Work,
    /// A line for people.
    pub title: String,
    /// The cluster it is about, where it is about one.
    pub cluster: Option<ClusterId>,
    /// The job whose failed targets it tries again.
    pub retry_of: Option<JobId>,
    /// What it is done to; skipped ones with their reason.
    pub targets: Vec<NewTarget>,
}

/// A job that tries again what failed in another.
pub struct Retried {
    /// The new job.
    pub job: JobRow,
    /// Fresh lines to paste, for an installation.
    pub by_hand: Option<ByHand>,
}

impl App {
    /// Queues a job in the caller's transaction. Call [`crate::jobs::Jobs::wake`] after the commit.
    pub async fn enqueue(&self, ctx: &Ctx, tx: &mut Tx, order: JobOrder) -> Result<JobId, Error> {
        let id = JobId(self.ids.next());
        let now = self.clock.now();
        let work = serde_json::to_value(&order.work)
            .map_err(|error| Error::Internal(format!("a job's work does not serialize: {error}")))?;
        tx.insert_job(&NewJob {
            id,
            kind: order.work.kind(),
            title: order.title,
            work,
            cluster: order.cluster,
            concurrency_key: order.work.concurrency_key(),
            retry_of: order.retry_of,
            at: now,
            created_by: ctx.name().to_owned(),
        })
        .await?;
        tx.insert_targets(id, &order.targets, now).await?;
        job_changed(self, tx, id).await?;
        Ok(id)
    }

    /// Asks for a discovery of a cluster. One that is already queued or running serves as well.
    pub async fn request_discovery(&self, ctx: &Ctx, cluster: ClusterId) -> Result<JobRow, Error> {
        ctx.require(Role::Operator)?;
        let row = muster_store::write!(self.store, tx => {
            let row = tx.cluster(cluster).await?.ok_or_else(|| Error::NotFound { kind: "cluster", id: cluster.to_string() })?;
            if row.paused {
                let detail = format!("{} is paused: resume it first", row.name);
                return Err(Error::Conflict { code: "cluster_paused", detail });
            }
            let id = self.queue_discovery(ctx, tx, cluster, &row.name, "request").await?;
            ctx.audit(self, tx, "cluster.discover", ("cluster", Some(cluster.0), &row.name), serde_json::json!({ "job": id })).await?;
            existing(tx, id).await
        })?;
        self.jobs.wake();
        Ok(row)
    }

    /// Queues a discovery in the caller's transaction, unless one is open already.
    pub async fn queue_discovery(
        &self,
        ctx: &Ctx,
        tx: &mut Tx,
        cluster: ClusterId,
        name: &str,
        trigger: &str,
    ) -> Result<JobId, Error> {
        let work = Work::Discover {
            cluster,
            trigger: trigger.to_owned(),
        };
        if let Some(key) = work.concurrency_key()
            && let Some(open) = tx.open_job_with_key(&key).await?
        {
            return Ok(open);
        }
        let target = NewTarget {
            id: TargetId(self.ids.next()),
            guest: None,
            name: name.to_owned(),
            skipped: None,
        };
        let order = JobOrder {
            work,
            title: format!("Discover {name}"),
            cluster: Some(cluster),
            retry_of: None,
            targets: vec![target],
        };
        let id = self.enqueue(ctx, tx, order).await?;
        fleet::cluster_changed(self, tx, cluster).await?;
        Ok(id)
    }

    /// Jobs, newest first.
    pub async fn jobs_page(&self, ctx: &Ctx, filter: &JobFilter, limit: i64) -> Result<Vec<JobRow>, Error> {
        ctx.require(Role::Viewer)?;
        Ok(self.store.read().await?.jobs_page(filter, limit).await?)
    }

    /// One job.
    pub async fn job(&self, ctx: &Ctx, id: JobId) -> Result<JobRow, Error> {
        ctx.require(Role::Viewer)?;
        existing(&mut self.store.read().await?, id).await
    }

    /// A job's targets in their order.
    pub async fn job_targets(&self, ctx: &Ctx, id: JobId) -> Result<Vec<TargetRow>, Error> {
        ctx.require(Role::Viewer)?;
        let mut tx = self.store.read().await?;
        existing(&mut tx, id).await?;
        Ok(tx.targets_of(id).await?)
    }

    /// A job's log after line `n`, and whether the job is over, so that nothing can follow.
    pub async fn job_log(&self, ctx: &Ctx, id: JobId, n: i64, limit: i64) -> Result<(Vec<LogRow>, bool), Error> {
        ctx.require(Role::Viewer)?;
        let mut tx = self.store.read().await?;
        let job = existing(&mut tx, id).await?;
        Ok((tx.log_after(id, n, limit).await?, job_state(&job).is_over()))
    }

    /// Stops a job: what runs is told to, what waits is not begun, what is done stays done.
    pub async fn cancel_job(&self, ctx: &Ctx, id: JobId) -> Result<JobRow, Error> {
        ctx.require(Role::Operator)?;
        let row = muster_store::write!(self.store, tx => {
            let job = existing(tx, id).await?;
            job_state(&job).may_cancel().map_err(|detail| Error::Conflict { code: "job_over", detail: detail.to_owned() })?;
            tx.request_job_cancel(id).await?;
            ctx.audit(self, tx, "job.cancel", ("job", Some(id.0), &job.title), serde_json::json!({})).await?;
            if job.lease_owner.is_none() {
                job_ended(self, tx, id, &Step::cancel(), Some(("cancelled", "The job was stopped."))).await?;
            } else {
                job_changed(self, tx, id).await?;
            }
            existing(tx, id).await
        })?;
        self.jobs.stop(id);
        Ok(row)
    }

    /// Tries the failed targets of a job that is over again, in a new job. Installations get fresh lines.
    pub async fn retry_job(&self, ctx: &Ctx, id: JobId) -> Result<Retried, Error> {
        ctx.require(Role::Operator)?;
        let (job, work, failed) = self.failed_targets(id).await?;
        let selection = Selection {
            cluster: None,
            guests: Some(failed),
        };
        let bulk = match work {
            Work::Discover { cluster, .. } => {
                let job = self.request_discovery(ctx, cluster).await?;
                return Ok(Retried { job, by_hand: None });
            }
            Work::Scan => self.scan(ctx, &selection, Some(JobId(job.id))).await?,
            Work::Install { again, consoles } => {
                let wanted = Wanted { again, consoles };
                self.install_anew(ctx, &selection, wanted, JobId(job.id)).await?
            }
        };
        let left_out = bulk.decided.into_iter().find_map(|one| one.left_out);
        match bulk.job {
            Some(job) => Ok(Retried {
                job,
                by_hand: bulk.by_hand,
            }),
            None => Err(Error::Conflict {
                code: "nothing_to_do",
                detail: left_out.map_or_else(|| "The guests no longer exist.".to_owned(), |left| left.detail),
            }),
        }
    }

    async fn failed_targets(&self, id: JobId) -> Result<(JobRow, Work, Vec<GuestId>), Error> {
        let mut tx = self.store.read().await?;
        let job = existing(&mut tx, id).await?;
        let failed = u64::try_from(job.failed).unwrap_or(0);
        job_state(&job).may_retry(failed).map_err(|detail| Error::Conflict {
            code: "nothing_to_retry",
            detail: detail.to_owned(),
        })?;
        let work = serde_json::from_value(job.work.0.clone())
            .map_err(|error| Error::Internal(format!("the work of job {id} means nothing here: {error}")))?;
        let targets = tx.targets_of(id).await?;
        let failed = targets
            .iter()
            .filter(|target| target.state == TargetState::Failed.as_str());
        let guests = failed.filter_map(|target| target.guest_id.map(GuestId)).collect();
        Ok((job, work, guests))
    }
}

/// What a caller may do with a job.
pub fn job_actions(ctx: &Ctx, job: &JobRow) -> Vec<Action> {
    let role = || ctx.require(Role::Operator).err().map(|error| format!("{error}."));
    let state = job_state(job);
    let failed = u64::try_from(job.failed).unwrap_or(0);
    let no = |refused: Result<(), &'static str>| refused.err().map(str::to_owned);
    vec![
        Action {
            name: "cancel",
            refused: role().or_else(|| no(state.may_cancel())),
        },
        Action {
            name: "retry",
            refused: role().or_else(|| no(state.may_retry(failed))),
        },
    ]
}

async fn existing(tx: &mut Tx, id: JobId) -> Result<JobRow, Error> {
    tx.job(id).await?.ok_or_else(|| Error::NotFound {
        kind: "job",
        id: id.to_string(),
    })
}

/// A row whose state has no meaning is over: nothing can be done with it.
fn job_state(job: &JobRow) -> JobState {
    JobState::parse(&job.state).unwrap_or(JobState::Failed)
}
