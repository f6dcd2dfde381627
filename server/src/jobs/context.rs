//! What the run of a job works with.

use std::sync::Arc;

use muster_domain::job::{TargetEvent, TargetState};
use muster_domain::reach::Transport;
use muster_domain::{GuestId, JobId, TargetId};
use muster_store::Tx;
use muster_store::job_targets::{TargetMove, TargetRow};
use muster_store::jobs::JobRow;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::JobError;
use crate::app::{App, Error, fleet};

/// One run of a job. Cheap to clone.
#[derive(Clone)]
pub struct JobContext {
    /// The use cases and the database.
    pub app: App,
    /// The job's row when the run began.
    pub job: JobRow,
    /// Cancelled when somebody wants the job stopped, or the server stops.
    pub stop: CancellationToken,
    /// Targets are worked on side by side, but their steps are written one after the other: they number lines of one log,
    /// and on PostgreSQL would only make each other give way.
    pub(super) turn: Arc<Mutex<()>>,
}

/// A step of a target: what happens to it, and what people are told.
#[derive(Debug, Clone)]
pub struct Step {
    event: TargetEvent,
    name: Option<&'static str>,
    reason: Option<(String, String)>,
    transport: Option<Transport>,
    memo: Option<Value>,
    result: Option<Value>,
    line: Option<(&'static str, String)>,
}

impl Step {
    fn new(event: TargetEvent, line: Option<(&'static str, String)>) -> Step {
        Step {
            event,
            name: None,
            reason: None,
            transport: None,
            memo: None,
            result: None,
            line,
        }
    }

    /// Begins a step with that name, e.g. `scanning`; `line` goes to the log.
    pub fn start(name: &'static str, line: impl Into<String>) -> Step {
        Step {
            name: Some(name),
            ..Step::new(TargetEvent::Start, Some(("info", line.into())))
        }
    }

    /// Waits for something outside.
    pub fn wait(name: &'static str, code: &str, detail: impl Into<String>) -> Step {
        Step {
            name: Some(name),
            reason: Some((code.to_owned(), detail.into())),
            ..Step::new(TargetEvent::Wait, None)
        }
    }

    /// Ends well; `line` goes to the log.
    pub fn succeed(result: Value, line: impl Into<String>) -> Step {
        Step {
            result: Some(result),
            ..Step::new(TargetEvent::Succeed, Some(("info", line.into())))
        }
    }

    /// Ends badly: a stable code, and what happened and what to do.
    pub fn fail(code: &str, detail: impl Into<String>) -> Step {
        let detail = detail.into();
        Step {
            reason: Some((code.to_owned(), detail.clone())),
            ..Step::new(TargetEvent::Fail, Some(("error", detail)))
        }
    }

    /// Ends since there is nothing to try.
    pub fn skip(code: &str, detail: impl Into<String>) -> Step {
        let detail = detail.into();
        Step {
            reason: Some((code.to_owned(), detail.clone())),
            ..Step::new(TargetEvent::Skip, Some(("warning", detail)))
        }
    }

    /// Ends since somebody stopped the job.
    pub fn cancel() -> Step {
        Step {
            reason: Some(("cancelled".to_owned(), "The job was stopped.".to_owned())),
            ..Step::new(TargetEvent::Cancel, None)
        }
    }

    /// Notes the way by which the target is worked on.
    pub fn by(mut self, transport: Transport) -> Step {
        self.transport = Some(transport);
        self
    }

    /// Keeps `memo` for whoever resumes the job at this step.
    pub fn with_memo(mut self, memo: Value) -> Step {
        self.memo = Some(memo);
        self
    }
}

impl JobContext {
    /// The job's id.
    pub fn id(&self) -> JobId {
        JobId(self.job.id)
    }

    /// The targets that are not over, in their order.
    pub async fn open_targets(&self) -> Result<Vec<TargetRow>, JobError> {
        let all = self.app.store.read().await?.targets_of(self.id()).await?;
        Ok(all.into_iter().filter(|target| !state(target).is_over()).collect())
    }

    /// Moves a target by one step, with its line in the log and the events, in one transaction. Returns false, and does
    /// nothing, when the target is no longer in the state `target` shows or the step cannot follow on it.
    pub async fn advance(&self, target: &mut TargetRow, step: Step) -> Result<bool, JobError> {
        let _turn = self.turn.lock().await;
        let moved = muster_store::write!(self.app.store, tx => {
            move_target(&self.app, tx, target, &step).await
        })?;
        if let Some(to) = moved {
            target.state = to.as_str().to_owned();
            target.memo = step.memo.map(Into::into);
            self.app.jobs.line_written();
        }
        Ok(moved.is_some())
    }

    /// Adds a line to the job's log.
    pub async fn log(&self, level: &'static str, target: Option<&TargetRow>, text: &str) -> Result<(), JobError> {
        let target = target.map(|target| TargetId(target.id));
        let _turn = self.turn.lock().await;
        muster_store::write!(self.app.store, tx => {
            add_line(&self.app, tx, self.id(), level, target, text).await
        })?;
        self.app.jobs.line_written();
        Ok(())
    }
}

/// Moves a target in the caller's transaction; the state it got, or `None` when it could not be moved.
pub(super) async fn move_target(
    app: &App,
    tx: &mut Tx,
    target: &TargetRow,
    step: &Step,
) -> Result<Option<TargetState>, Error> {
    let from = state(target);
    let Some(to) = from.next(step.event) else {
        return Ok(None);
    };
    let change = TargetMove {
        from,
        to,
        step: step.name,
        reason: step.reason.clone(),
        memo: step.memo.clone(),
        result: step.result.clone(),
        transport: step.transport.map(Transport::as_str),
        begins: from == TargetState::Queued && to == TargetState::Running,
        at: app.clock.now(),
    };
    let job = JobId(target.job_id);
    if !tx.move_target(TargetId(target.id), &change).await? {
        return Ok(None);
    }
    if let Some((level, text)) = &step.line {
        add_line(app, tx, job, level, Some(TargetId(target.id)), text).await?;
    }
    if let Some(guest) = target.guest_id {
        fleet::work_changed(app, tx, GuestId(guest)).await?;
    }
    changed(app, tx, job).await?;
    Ok(Some(to))
}

/// Tells watchers that a job changed.
pub(crate) async fn changed(app: &App, tx: &mut Tx, job: JobId) -> Result<(), Error> {
    tx.publish(app.clock.now(), "job.changed", Some(job.0), json!({}))
        .await?;
    Ok(())
}

async fn add_line(
    app: &App,
    tx: &mut Tx,
    job: JobId,
    level: &str,
    target: Option<TargetId>,
    text: &str,
) -> Result<(), Error> {
    let now = app.clock.now();
    let n = tx.append_log(job, now, level, target, text).await?;
    tx.publish(now, "job.log", Some(job.0), json!({ "job": job, "n": n }))
        .await?;
    Ok(())
}

/// A row whose state has no meaning cannot be worked on: it counts as over.
pub(super) fn state(target: &TargetRow) -> TargetState {
    TargetState::parse(&target.state).unwrap_or(TargetState::Failed)
}
