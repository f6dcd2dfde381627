//! Going into a guest by the first way that leads in, with the reason for each one that does not.

use std::fmt;
use std::time::Duration;

use muster_domain::GuestId;
use muster_domain::fleet::ExecEndpoint;
use muster_domain::reach::{self, TokenConsole, Transport, WayState};
use muster_store::guests::GuestRow;
use muster_store::job_targets::TargetRow;
use tokio::sync::OwnedSemaphorePermit;
use uuid::Uuid;

use super::{JobContext, JobError};
use crate::app::LOCK_LASTS;
use crate::reach::{Kind, Obstacle, Shell, Verb, perform};

/// How often a held guest is kept from others; three missed turns lose it.
const KEEP_EVERY: Duration = Duration::from_secs(LOCK_LASTS.as_secs() / 4);
/// How long somebody else's work in the guest is waited for, and how often it is looked for.
const WAIT_FOR_OTHERS: Duration = Duration::from_secs(90);
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A guest that was entered, and the answer to the first question.
pub(super) struct Entered<R> {
    /// The open way.
    pub(super) shell: Box<dyn Shell>,
    /// Which it is.
    pub(super) transport: Transport,
    /// The answer.
    pub(super) report: R,
}

/// A way that was not taken, and why.
#[derive(Debug)]
pub(super) struct Passed {
    pub(super) transport: Transport,
    pub(super) obstacle: Obstacle,
}

/// What became of going in.
pub(super) enum Entry<R> {
    /// One way led in.
    In(Entered<R>),
    /// None did.
    Shut(Vec<Passed>),
}

/// What a job is about to ask first, and why.
pub(super) struct Purpose<'a, V> {
    /// The word in the audit log.
    pub(super) word: &'static str,
    /// The first question.
    pub(super) verb: &'a V,
    /// How long its answer may take.
    pub(super) within: Duration,
}

impl fmt::Display for Passed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Not by {}: {}", self.transport.label(), self.obstacle.detail)
    }
}

impl JobContext {
    /// Does `work` as the only one in the guest; `None` when others did not end in time.
    pub(super) async fn alone_in<T>(
        &self,
        guest: GuestId,
        holder: Uuid,
        work: impl Future<Output = Result<T, JobError>>,
    ) -> Result<Option<T>, JobError> {
        let begin = tokio::time::Instant::now();
        while !self.app.hold_guest(guest, holder).await? {
            if begin.elapsed() >= WAIT_FOR_OTHERS {
                return Ok(None);
            }
            tokio::select! {
                () = self.stop.cancelled() => return Err(JobError::Stopped),
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
        let keep = async {
            loop {
                tokio::time::sleep(KEEP_EVERY).await;
                if !self.app.hold_guest(guest, holder).await? {
                    return Err(JobError::Retry {
                        after: KEEP_EVERY,
                        detail: "The guest was taken by somebody else, since this server was too slow.".to_owned(),
                    });
                }
            }
        };
        let done = tokio::select! {
            done = work => done.map(Some),
            lost = keep => lost,
        };
        self.app.release_guest(guest, holder).await?;
        done
    }

    /// Goes in by the first of `ways` that answers the first question. The ways not taken stand in the log.
    pub(super) async fn go_in<V: Verb>(
        &self,
        target: &TargetRow,
        row: &GuestRow,
        ways: &[Transport],
        purpose: &Purpose<'_, V>,
    ) -> Result<Entry<V::Report>, JobError> {
        let mut passed = Vec::new();
        for transport in ways {
            let (_trial, row) = match self.trial(row, *transport).await? {
                Ok(ready) => ready,
                Err(obstacle) => {
                    self.pass(target, &mut passed, *transport, obstacle).await?;
                    continue;
                }
            };
            let tried = self.try_way(&row, *transport, purpose).await?;
            self.app.learn(&row, *transport, tried.as_ref().map(drop)).await?;
            match tried {
                Ok(entered) => return Ok(Entry::In(entered)),
                Err(obstacle) => self.pass(target, &mut passed, *transport, obstacle).await?,
            }
        }
        Ok(Entry::Shut(passed))
    }

    async fn pass(
        &self,
        target: &TargetRow,
        passed: &mut Vec<Passed>,
        transport: Transport,
        obstacle: Obstacle,
    ) -> Result<(), JobError> {
        let way = Passed { transport, obstacle };
        self.log("info", Some(target), &way.to_string()).await?;
        passed.push(way);
        Ok(())
    }

    async fn try_way<V: Verb>(
        &self,
        row: &GuestRow,
        transport: Transport,
        purpose: &Purpose<'_, V>,
    ) -> Result<Result<Entered<V::Report>, Obstacle>, JobError> {
        let mut shell = match self.app.enter(row, transport, purpose.word).await? {
            Ok(shell) => shell,
            Err(obstacle) => return Ok(Err(obstacle)),
        };
        match perform(shell.as_mut(), purpose.verb, purpose.within).await {
            Ok(report) => Ok(Ok(Entered {
                shell,
                transport,
                report,
            })),
            Err(obstacle) => {
                shell.leave().await;
                Ok(Err(obstacle))
            }
        }
    }

    /// One guest tries for all of its node what the node can do; the others wait and learn from it. Answers the guest as it
    /// is known then, or why the way is closed by now.
    async fn trial(
        &self,
        row: &GuestRow,
        transport: Transport,
    ) -> Result<Result<(Option<OwnedSemaphorePermit>, GuestRow), Obstacle>, JobError> {
        if !is_unknown(row, transport)? {
            return Ok(Ok((None, row.clone())));
        }
        let turn = self.app.jobs.places.try_alone(row.node_id).await;
        let Some(row) = self.app.store.read().await?.guest(GuestId(row.id)).await? else {
            return Ok(Err(Obstacle::closed("gone", "The guest no longer exists.")));
        };
        let ways = reach::of(&row.state()?).ways;
        let way = ways.into_iter().find(|way| way.transport == transport);
        if let Some(way) = way.filter(|way| way.state == WayState::Impossible) {
            return Ok(Err(Obstacle::closed("way_closed", way.reason)));
        }
        let turn = is_unknown(&row, transport)?.then_some(turn);
        Ok(Ok((turn, row)))
    }
}

fn is_unknown(row: &GuestRow, transport: Transport) -> Result<bool, JobError> {
    let state = row.state()?;
    Ok(match transport {
        Transport::ExecEndpoint => state.exec_endpoint == ExecEndpoint::Unknown,
        Transport::TokenConsole => state.token_console == TokenConsole::Unknown,
        _ => false,
    })
}

/// The one that a person can do most about, when no way led in: somebody in the way, else what broke, else a closed door.
pub(super) fn most_telling(passed: &[Passed]) -> Option<&Obstacle> {
    let rank = |passed: &&Passed| match passed.obstacle.kind {
        Kind::Busy => 0,
        Kind::Failed => 1,
        Kind::Lost => 2,
        Kind::Closed => 3,
    };
    passed.iter().min_by_key(rank).map(|passed| &passed.obstacle)
}
