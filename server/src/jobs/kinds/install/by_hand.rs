//! Waits until the agent of each target has checked in, after a person has pasted its line. The job is parked meanwhile;
//! enrolments, check-ins and removals wake it, and so does the end of the lines' time.

use std::time::Duration;

use muster_domain::fleet::AgentState;
use muster_domain::install::InstallStep;
use muster_domain::job::TargetState;
use muster_domain::reach::Transport;
use muster_domain::{GuestId, TargetId, Timestamp};
use muster_store::Tx;
use muster_store::agents::AgentRow;
use muster_store::enrolments::EnrolmentRow;
use muster_store::guests::{GuestAgent, GuestRow};
use muster_store::job_targets::TargetRow;
use serde_json::json;

use crate::app::{App, Error, fleet};
use crate::jobs::context::move_target;
use crate::jobs::{JobContext, JobError, Step};

/// How long an enrolled agent may take to connect.
const CHECK_IN: Duration = Duration::from_secs(180);

/// What is to become of a target now.
enum Verdict {
    /// The agent is online.
    Online(Box<AgentRow>),
    /// Nothing happened yet; look again at this moment.
    Wait(&'static str, Step, Timestamp),
    /// It will not happen.
    Failed(&'static str, String),
}

/// The step in which a person is waited for.
pub(super) const LINE: &str = "line";

/// Looks once at all targets that wait for a person. Answers when the next one of them has to be looked at.
pub(super) async fn look(job: &JobContext, again: bool) -> Result<Option<Timestamp>, JobError> {
    let mut next: Option<Timestamp> = None;
    for mut target in job.open_targets().await?.into_iter().filter(waits_for_person) {
        match judge(job, &target, again).await? {
            Verdict::Online(agent) => succeed(job, &mut target, &agent).await?,
            Verdict::Failed(code, detail) => end(job, &target, &Step::fail(code, detail)).await?,
            Verdict::Wait(name, step, until) => {
                next = Some(next.map_or(until, |next| next.min(until)));
                // Written once, not at every look.
                if target.step.as_deref() != Some(name) {
                    job.advance(&mut target, step).await?;
                }
            }
        }
    }
    Ok(next)
}

/// Whether a target's line was given to a person.
pub(super) fn waits_for_person(target: &TargetRow) -> bool {
    target.state == TargetState::Waiting.as_str()
}

/// Leaves a target to the person who has its line; false when nobody has one. After ways through PVE were `tried` it has to be
/// one that still works: their own tokens are over by then.
pub(super) async fn leave_to_person(job: &JobContext, target: &mut TargetRow, tried: bool) -> Result<bool, JobError> {
    let enrolment = job
        .app
        .store
        .read()
        .await?
        .enrolment_of_target(TargetId(target.id))
        .await?;
    let now = job.app.clock.now();
    let works = |line: &EnrolmentRow| line.used_at.is_none() && line.expires_at > now.as_micros();
    let waits = enrolment.is_some_and(|line| !tried || works(&line));
    if waits {
        let step = Step::wait(LINE, "paste_line", "Waiting: paste the line.").by(Transport::ByHand);
        job.advance(target, step).await?;
    }
    Ok(waits)
}

/// The line of a target that nobody waits for any more stops working.
pub(in crate::jobs::kinds) async fn abandon(app: &App, tx: &mut Tx, target: &TargetRow) -> Result<(), Error> {
    let Some(enrolment) = tx.enrolment_of_target(TargetId(target.id)).await? else {
        return Ok(());
    };
    let far = Timestamp::from_micros(i64::MAX);
    tx.end_enrolments_of_target(TargetId(target.id), app.clock.now(), far)
        .await?;
    give_up(app, tx, GuestId(enrolment.guest_id)).await
}

async fn judge(job: &JobContext, target: &TargetRow, again: bool) -> Result<Verdict, JobError> {
    let mut tx = job.app.store.read().await?;
    let guest = match target.guest_id {
        Some(id) => tx.guest(GuestId(id)).await?.filter(|guest| guest.gone_at.is_none()),
        None => None,
    };
    let Some(guest) = guest else {
        return Ok(Verdict::Failed("gone", "The guest no longer exists.".to_owned()));
    };
    let agent = tx.agent_of(GuestId(guest.id)).await?;
    let enrolment = tx.enrolment_of_target(TargetId(target.id)).await?;
    let now = job.app.clock.now();
    let mut verdict = verdict(job, &guest, agent, enrolment, again);
    if let Verdict::Failed("line_expired", _) = verdict
        && tx.open_enrolments_of(GuestId(guest.id), now).await? > 0
    {
        let detail = "A newer line was made for this guest: paste that one.";
        verdict = Verdict::Failed("line_replaced", detail.to_owned());
    }
    Ok(verdict)
}

fn verdict(
    job: &JobContext,
    guest: &GuestRow,
    agent: Option<AgentRow>,
    enrolment: Option<EnrolmentRow>,
    again: bool,
) -> Verdict {
    let now = job.app.clock.now();
    let is_new = |agent: &AgentRow| agent.enrolled_at >= job.job.created_at;
    let online = guest.agent_state == AgentState::Online.as_str();
    if let Some(agent) = agent.as_ref().filter(|agent| online && (!again || is_new(agent))) {
        return Verdict::Online(Box::new(agent.clone()));
    }
    if let Some(agent) = agent.filter(is_new) {
        return connecting(&agent, now);
    }
    let until = enrolment.map_or(now, |enrolment| Timestamp::from_micros(enrolment.expires_at));
    if now < until {
        let step = Step::wait(LINE, "paste_line", "Waiting: paste the line.").by(Transport::ByHand);
        return Verdict::Wait(LINE, step, until);
    }
    let detail = "The line was not used in time: retry for a fresh one.";
    Verdict::Failed("line_expired", detail.to_owned())
}

/// Enrolled for this job, but not connected.
fn connecting(agent: &AgentRow, now: Timestamp) -> Verdict {
    let until = Timestamp::from_micros(agent.enrolled_at) + CHECK_IN;
    if now < until {
        let name = InstallStep::CheckIn.as_str();
        let step = Step::wait(name, "connecting", "Enrolled; waiting for the agent to connect.");
        return Verdict::Wait(name, step, until);
    }
    let detail = format!(
        "The agent enrolled but did not connect within {} s: look at the log of the service muster-agent in the guest.",
        CHECK_IN.as_secs()
    );
    Verdict::Failed("no_check_in", detail)
}

/// The agent is online.
pub(super) async fn succeed(job: &JobContext, target: &mut TargetRow, agent: &AgentRow) -> Result<(), JobError> {
    let init = agent
        .facts
        .get("init")
        .and_then(|init| init.as_str())
        .unwrap_or_default();
    let result = json!({ "agent": agent.id, "version": agent.version, "init": init });
    let line = format!("Online: muster-agent {}, {init}.", agent.version);
    end(job, target, &Step::succeed(result, line)).await
}

/// The installation will not come to anything.
pub(super) async fn fail(job: &JobContext, target: &TargetRow, code: &str, detail: &str) -> Result<(), JobError> {
    end(job, target, &Step::fail(code, detail)).await
}

/// Ends a target. Its line, used or not, enrols nobody from then on.
async fn end(job: &JobContext, target: &TargetRow, step: &Step) -> Result<(), JobError> {
    let app = &job.app;
    let _turn = job.turn.lock().await;
    let ended: Result<(), Error> = muster_store::write!(app.store, tx => {
        abandon(app, tx, target).await?;
        if let Some(guest) = target.guest_id {
            // A restored database has no lines.
            give_up(app, tx, GuestId(guest)).await?;
        }
        move_target(app, tx, target, step).await.map(drop)
    });
    ended?;
    app.jobs.line_written();
    Ok(())
}

/// A guest that no line can enrol any more is not enrolling.
async fn give_up(app: &App, tx: &mut Tx, guest: GuestId) -> Result<(), Error> {
    let Some(row) = tx.guest(guest).await? else {
        return Ok(());
    };
    let enrolling = row.agent_state == AgentState::Enrolling.as_str();
    if !enrolling || tx.open_enrolments_of(guest, app.clock.now()).await? > 0 {
        return Ok(());
    }
    let state = match tx.agent_of(guest).await? {
        Some(_) => AgentState::Offline,
        None => AgentState::None,
    };
    let agent = GuestAgent {
        state: state.as_str(),
        version: row.agent_version,
        seen_at: row.agent_seen_at,
        reason: None,
    };
    Ok(fleet::agent_changed(app, tx, guest, &agent).await?)
}
