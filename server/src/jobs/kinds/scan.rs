//! Reads what could be updated in each target, by its agent or by a way through PVE. A few guests per node at a time.

use std::time::Duration;

use muster_domain::command::CommandState;
use muster_domain::eligible::{LeftOut, for_scan};
use muster_domain::fleet::AgentState;
use muster_domain::reach::Transport;
use muster_domain::{AgentId, CommandId, GuestId, TargetId, Timestamp};
use muster_protocol::Verb;
use muster_store::Tx;
use muster_store::guests::GuestRow;
use muster_store::job_targets::TargetRow;
use serde::{Deserialize, Serialize};

use super::scan_report::{NOWHERE, Scanned, Source, write};
use crate::app::agents::NewOrder;
use crate::app::{App, Error};
use crate::jobs::context::move_target;
use crate::jobs::entering::{Entry, Passed, Purpose, most_telling};
use crate::jobs::{JobContext, JobError, Next, Step};
use crate::reach::{self, Kind};

/// How long a scan's command may wait to be started.
const START_WITHIN: Duration = Duration::from_secs(5 * 60);
/// How long its answer is waited for. A slow mirror and another package tool at work fit in.
const ANSWER_WITHIN: Duration = Duration::from_secs(15 * 60);
/// How long an agent may be gone before its command counts as lost. A restart takes less.
const LOST_AFTER: Duration = Duration::from_secs(30);
/// How often a waiting scan looks whether its agent is there.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How often a waiting scan looks into the database, should a signal have been lost.
const LOOK_AGAIN: u32 = 8;

/// A command that a target waits for.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Sent {
    command: CommandId,
    agent: AgentId,
}

impl Sent {
    fn of(target: &TargetRow) -> Option<Sent> {
        Sent::deserialize(&target.memo.as_ref()?.0).ok()
    }
}

pub(super) async fn run(job: &JobContext) -> Result<Next, JobError> {
    job.for_each(job.open_targets().await?, |target| scan(job, target))
        .await?;
    Ok(Next::Done)
}

/// Nobody waits for the command of an abandoned target.
pub(super) async fn abandon(app: &App, tx: &mut Tx, target: &TargetRow) -> Result<(), Error> {
    if let Some(sent) = Sent::of(target) {
        tx.cancel_command(sent.command, app.clock.now()).await?;
    }
    Ok(())
}

async fn scan(job: &JobContext, mut target: TargetRow) -> Result<(), JobError> {
    if let Some(sent) = Sent::of(&target) {
        return await_answer(job, &target, sent).await;
    }
    let Some(row) = guest(job, &target).await? else {
        return skip(job, &mut target, &LeftOut::gone()).await;
    };
    // Decided anew: since the job was made the guest may have stopped, or its agent have come.
    match for_scan(&row.state()?, false) {
        Ok(ways) if ways.first() == Some(&Transport::Agent) => by_agent(job, &mut target, &row).await,
        Ok(ways) => through_pve(job, &mut target, &row, &ways).await,
        Err(left) => skip(job, &mut target, &left).await,
    }
}

async fn by_agent(job: &JobContext, target: &mut TargetRow, row: &GuestRow) -> Result<(), JobError> {
    let app = &job.app;
    let identity = app.identity().await?;
    let guest = GuestId(row.id);
    let turn = job.turn.lock().await;
    let given: Result<_, Error> = muster_store::write!(app.store, tx => {
        let Some(agent) = tx.agent_of(guest).await? else { return Ok(None) };
        let order = NewOrder {
            verb: Verb::Scan { known_digest: tx.scan(guest).await?.map(|scan| scan.digest) },
            target: Some(TargetId(target.id)),
            start_within: START_WITHIN,
            answer_within: ANSWER_WITHIN,
        };
        let command = app.order(tx, identity, &agent, order).await?;
        let sent = Sent { command, agent: AgentId(agent.id) };
        let step = Step::start("command", "Sent to the agent.").by(Transport::Agent).with_memo(serde_json::json!(sent));
        // Nothing is sent for a target that is no longer as it was.
        Ok(move_target(app, tx, target, &step).await?.map(|_| sent))
    });
    drop(turn);
    match given? {
        None => Ok(()),
        Some(sent) => {
            target.state = "running".to_owned();
            app.agents.links.hint(sent.agent);
            await_answer(job, target, sent).await
        }
    }
}

/// Waits for the end of a command, be it an answer, its time, or the loss of its agent.
async fn await_answer(job: &JobContext, target: &TargetRow, sent: Sent) -> Result<(), JobError> {
    let app = &job.app;
    let waiting = app.agents.settled.wait_for(sent.command.0);
    let mut absent_since: Option<Timestamp> = None;
    let mut looks = 0;
    loop {
        if looks % LOOK_AGAIN == 0
            && let Some(scanned) = settled(job, sent.command).await?
        {
            let source = Source {
                transport: Some(Transport::Agent),
                command: Some(sent.command),
            };
            return write(job, target, source, scanned).await;
        }
        looks += 1;
        tokio::select! {
            () = job.stop.cancelled() => return Err(JobError::Stopped),
            () = waiting.signalled() => looks = 0,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        let now = app.clock.now();
        let state = app.agents.links.state(sent.agent, now);
        let here = matches!(state, Some(AgentState::Online | AgentState::Late));
        absent_since = if here { None } else { Some(absent_since.unwrap_or(now)) };
        if absent_since.is_some_and(|since| now.since(since) >= LOST_AFTER) {
            cancel(job, sent.command).await?;
            looks = 0;
        }
    }
}

/// What a command came to; `None` while it is open.
async fn settled(job: &JobContext, command: CommandId) -> Result<Option<Scanned>, JobError> {
    let row = job.app.store.read().await?.command(command).await?;
    let Some(row) = row else {
        return Ok(Some(Scanned::failed(
            "agent_removed",
            "The agent was removed before it answered.",
        )));
    };
    let scanned = match (CommandState::parse(&row.state), row.outcome) {
        (Some(CommandState::Answered), Some(outcome)) => match serde_json::from_str(&outcome) {
            Ok(outcome) => Scanned::of_outcome(outcome),
            Err(error) => Scanned::failed("garbage", format!("The stored outcome is not understood: {error}.")),
        },
        (Some(CommandState::Expired), _) => Scanned::failed("expired", "The agent did not answer in time."),
        (Some(CommandState::Pending | CommandState::Leased | CommandState::Acked), _) => return Ok(None),
        _ => Scanned::failed(
            "agent_lost",
            "The agent went offline before it answered; the scan may have been interrupted.",
        ),
    };
    Ok(Some(scanned))
}

/// By the first way that leads in.
async fn through_pve(
    job: &JobContext,
    target: &mut TargetRow,
    row: &GuestRow,
    ways: &[Transport],
) -> Result<(), JobError> {
    let step = Step::start("entering", "Looking for a way into the guest.");
    if !job.advance(target, step).await? {
        return Ok(());
    }
    let purpose = Purpose {
        word: "scan",
        verb: &reach::Scan,
        within: ANSWER_WITHIN,
    };
    let work = Box::pin(async {
        let entry = tokio::select! {
            entry = job.go_in(target, row, ways, &purpose) => entry?,
            () = job.stop.cancelled() => return Err(JobError::Stopped),
        };
        match entry {
            Entry::In(entered) => {
                entered.shell.leave().await;
                Ok(Ok((entered.transport, entered.report)))
            }
            Entry::Shut(passed) => Ok(Err(passed)),
        }
    });
    match job.alone_in(GuestId(row.id), target.id, work).await? {
        Some(Ok((transport, report))) => {
            let source = Source {
                transport: Some(transport),
                command: None,
            };
            write(job, target, source, Scanned::of_report(report)).await
        }
        Some(Err(passed)) => not_entered(job, target, &passed).await,
        None => {
            let scanned = Scanned::failed(
                "guest_busy",
                "Other work in the guest did not end in time: scan again later.",
            );
            write(job, target, NOWHERE, scanned).await
        }
    }
}

/// A closed door is no failed scan: nothing was tried in the guest.
async fn not_entered(job: &JobContext, target: &mut TargetRow, passed: &[Passed]) -> Result<(), JobError> {
    match most_telling(passed) {
        Some(obstacle) if obstacle.kind != Kind::Closed => {
            let scanned = Scanned::failed(obstacle.code, obstacle.detail.clone());
            write(job, target, NOWHERE, scanned).await
        }
        _ => {
            let left = match guest(job, target).await? {
                Some(row) => for_scan(&row.state()?, false).err(),
                None => Some(LeftOut::gone()),
            };
            let told = passed.iter().map(Passed::to_string).collect::<Vec<_>>().join(" ");
            skip(job, target, &left.unwrap_or_else(|| LeftOut::no_reach(Some(told)))).await
        }
    }
}

async fn guest(job: &JobContext, target: &TargetRow) -> Result<Option<GuestRow>, JobError> {
    let Some(id) = target.guest_id else { return Ok(None) };
    Ok(job.app.store.read().await?.guest(GuestId(id)).await?)
}

async fn skip(job: &JobContext, target: &mut TargetRow, left: &LeftOut) -> Result<(), JobError> {
    job.advance(target, Step::skip(left.code, format!("Skipped. {}", left.detail)))
        .await?;
    Ok(())
}

async fn cancel(job: &JobContext, command: CommandId) -> Result<(), JobError> {
    let now = job.app.clock.now();
    let cancelled: Result<bool, Error> =
        muster_store::write!(job.app.store, tx => { Ok(tx.cancel_command(command, now).await?) });
    cancelled?;
    Ok(())
}
