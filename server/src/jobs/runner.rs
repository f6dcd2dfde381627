//! The runner: claims jobs that are due, keeps their leases, and brings each to its end.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use muster_domain::job::JobState;
use muster_domain::{ClusterId, JobId, ServerId};
use muster_store::jobs::JobRow;
use tokio::sync::Semaphore;

use super::context::{changed, move_target, state};
use super::{JobContext, JobError, Next, Step, kinds};
use crate::app::{App, Error, fleet};

/// How long a job belongs to its server without a sign of life.
const LEASE: Duration = Duration::from_secs(30);
/// How often leases are renewed; three missed turns lose a job.
const RENEW_EVERY: Duration = Duration::from_secs(8);
/// How often the queue is looked at without being told: parked jobs become due by themselves.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Jobs that run at once in one server.
pub(crate) const AT_ONCE: usize = 32;
/// Runs of a job that asked to be tried again, before it is given up.
const ATTEMPTS: i64 = 5;
/// Servers that may die over one job, before the job itself is taken for the cause.
const INTERRUPTIONS: i64 = 5;

pub(super) fn start(app: &App) {
    let owner = ServerId(app.ids.next());
    let (this, stopping) = (app.clone(), app.lifecycle.stopping());
    app.lifecycle.spawn("jobs", async move {
        let places = Arc::new(Semaphore::new(AT_ONCE));
        while !stopping.is_cancelled() {
            claim_all_due(&this, owner, &places).await;
            tokio::select! {
                () = stopping.cancelled() => {}
                () = this.jobs.due.wait() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    });
    let this = app.clone();
    app.lifecycle.every(
        "leases of jobs",
        RENEW_EVERY,
        crate::lifecycle::Kick::default(),
        move || {
            let app = this.clone();
            async move { renew(&app, owner).await }
        },
    );
}

async fn claim_all_due(app: &App, owner: ServerId, places: &Arc<Semaphore>) {
    while let Ok(place) = Arc::clone(places).try_acquire_owned() {
        let claimed: Result<Option<JobRow>, Error> = muster_store::write!(app.store, tx => {
            let now = app.clock.now();
            let job = tx.claim_job(owner, now, now + LEASE).await?;
            if let Some(job) = &job {
                changed(app, tx, JobId(job.id)).await?;
            }
            Ok(job)
        });
        match claimed {
            Ok(Some(job)) => {
                let run = run(app.clone(), owner, job);
                app.lifecycle.spawn("a job", async move {
                    run.await;
                    drop(place);
                });
            }
            Ok(None) => return,
            Err(error) => {
                tracing::warn!(%error, "the queue could not be read; trying again");
                return;
            }
        }
    }
}

/// Renews the leases of all jobs that run here, stops those somebody wants stopped, and those that were lost to another
/// server because this one was too slow.
async fn renew(app: &App, owner: ServerId) -> Result<String, anyhow::Error> {
    let held: Vec<(JobId, bool)> = muster_store::write!(app.store, tx => {
        let now = app.clock.now();
        Ok::<_, Error>(tx.renew_job_leases(owner, now, now + LEASE).await?)
    })?;
    for (job, cancel) in app.jobs.running().iter() {
        if !held.iter().any(|(id, stop)| id == job && !stop) {
            cancel.cancel();
        }
    }
    Ok(format!("{} leases renewed", held.len()))
}

/// One run of a claimed job, up to its end, its next turn, or the stop of the server.
async fn run(app: App, owner: ServerId, job: JobRow) {
    let id = JobId(job.id);
    let stop = app.lifecycle.stopping().child_token();
    app.jobs.running().insert(id, stop.clone());
    let context = JobContext {
        app: app.clone(),
        job,
        stop,
        turn: Arc::default(),
    };
    let ended = if context.job.cancel_requested {
        Err(JobError::Stopped)
    } else if context.job.interruptions >= INTERRUPTIONS {
        Err(JobError::Fail {
            code: "interrupted",
            detail: format!("The server died {INTERRUPTIONS} times over this job. See its log, and the server's."),
        })
    } else {
        match AssertUnwindSafe(kinds::run(&context)).catch_unwind().await {
            Ok(ended) => ended,
            Err(_) => Err(JobError::Fail {
                code: "internal",
                detail: "The job met a bug in Muster; the server's log has more.".to_owned(),
            }),
        }
    };
    let settled = settle(&context, owner, ended).await;
    app.jobs.running().remove(&id);
    if let Err(error) = settled {
        // Its lease runs out, and it is resumed then.
        tracing::warn!(job.id = %id, %error, "the end of a job's run could not be written");
    }
    app.jobs.wake();
}

/// Writes down what a run came to.
async fn settle(context: &JobContext, owner: ServerId, ended: Result<Next, JobError>) -> Result<(), Error> {
    match ended {
        Ok(Next::Done) => {
            finish(
                context,
                Step::fail("internal", "The job ended without this target."),
                None,
            )
            .await
        }
        Ok(Next::Park(until)) => park(context, owner, until, 0).await,
        Err(JobError::Stopped) => stopped(context, owner).await,
        Err(_) if context.stop.is_cancelled() => stopped(context, owner).await,
        Err(JobError::Retry { after, detail }) if context.job.attempt + 1 < ATTEMPTS => {
            tracing::info!(job.id = %context.id(), %detail, "a job is tried again");
            park(context, owner, context.app.clock.now() + after, 1).await
        }
        Err(JobError::Retry { detail, .. }) => {
            let detail = format!("Given up after {ATTEMPTS} tries: {detail}");
            finish(
                context,
                Step::fail("gave_up", detail.clone()),
                Some(("gave_up", &detail)),
            )
            .await
        }
        Err(JobError::Fail { code, detail }) => {
            finish(context, Step::fail(code, detail.clone()), Some((code, &detail))).await
        }
    }
}

/// The job was stopped: by a person, which ends it; by the end of the server, which gives it back; or because another
/// server has it by now, which is none of our business.
async fn stopped(context: &JobContext, owner: ServerId) -> Result<(), Error> {
    let row = context.app.store.read().await?.job(context.id()).await?;
    match row {
        Some(row) if row.cancel_requested && row.lease_owner == Some(owner.0) => {
            finish(context, Step::cancel(), Some(("cancelled", "The job was stopped."))).await
        }
        _ => park(context, owner, context.app.clock.now(), 0).await,
    }
}

/// Gives the job back until `run_at`. Nothing happens when another server has it by now.
async fn park(
    context: &JobContext,
    owner: ServerId,
    run_at: muster_domain::Timestamp,
    more_attempts: i64,
) -> Result<(), Error> {
    muster_store::write!(context.app.store, tx => {
        let now = context.app.clock.now();
        tx.park_job(context.id(), owner, run_at, context.job.attempt + more_attempts, now).await?;
        // It may have been asked to stop in this moment, when nobody held it any more.
        let row = tx.job(context.id()).await?;
        if row.is_some_and(|row| row.cancel_requested && row.lease_owner.is_none()) {
            end(&context.app, tx, context.id(), &Step::cancel(), Some(("cancelled", "The job was stopped."))).await?;
        }
        Ok(())
    })
}

/// Ends the job; targets that are still open get `rest`.
async fn finish(context: &JobContext, rest: Step, reason: Option<(&str, &str)>) -> Result<(), Error> {
    muster_store::write!(context.app.store, tx => { end(&context.app, tx, context.id(), &rest, reason).await })
}

/// Ends a job in the caller's transaction: open targets get `rest`, and the job the word for what all came to.
pub(crate) async fn end(
    app: &App,
    tx: &mut muster_store::Tx,
    job: JobId,
    rest: &Step,
    reason: Option<(&str, &str)>,
) -> Result<(), Error> {
    for target in tx.targets_of(job).await? {
        if !state(&target).is_over() {
            kinds::abandon(app, tx, &target).await?;
            move_target(app, tx, &target, rest).await?;
        }
    }
    let Some(row) = tx.job(job).await? else { return Ok(()) };
    let outcome = match row.tally().outcome() {
        Some(_) if row.cancel_requested && row.tally().total() == 0 => JobState::Cancelled,
        Some(outcome) => outcome,
        None => return Err(Error::Internal(format!("job {job} was to end with open targets"))),
    };
    tx.finish_job(job, outcome, reason, app.clock.now()).await?;
    if let (Some(cluster), "discover") = (row.cluster_id, row.kind.as_str()) {
        fleet::cluster_changed(app, tx, ClusterId(cluster)).await?;
    }
    changed(app, tx, job).await
}
