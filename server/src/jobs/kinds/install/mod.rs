//! Installs the agent in each target: through PVE where a way leads in, else by a line that a person pastes.

mod by_hand;
mod consoles;
mod steps;
mod through_pve;

use std::time::Duration;

use super::{JobContext, JobError, Next};
use crate::app::installs::Wanted;

pub(super) use by_hand::abandon;

/// How often it is looked, while other targets are worked on, whether a person has pasted a line.
const LOOK_EVERY: Duration = Duration::from_secs(1);

pub(super) async fn run(job: &JobContext, wanted: Wanted) -> Result<Next, JobError> {
    let open = job.open_targets().await?;
    let active = open.into_iter().filter(|target| !by_hand::waits_for_person(target));
    let work = job.for_each(active.collect(), |target| through_pve::install(job, target, wanted));
    let look = async {
        loop {
            by_hand::look(job, wanted.again).await?;
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    tokio::select! {
        worked = work => worked?,
        failed = look => return failed,
    }
    let next = by_hand::look(job, wanted.again).await?;
    Ok(next.map_or(Next::Done, Next::Park))
}
