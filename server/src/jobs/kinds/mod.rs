//! The kinds of jobs, one file each.

mod discover;
mod install;
mod scan;
mod scan_report;

use muster_domain::job::Work;
use muster_store::Tx;
use muster_store::job_targets::TargetRow;

use super::{JobContext, JobError, Next};
use crate::app::installs::Wanted;
use crate::app::{App, Error};

/// Runs a job once, or on from where a former run ended.
pub(super) async fn run(job: &JobContext) -> Result<Next, JobError> {
    let work: Work = serde_json::from_value(job.job.work.0.clone()).map_err(|error| JobError::Fail {
        code: "internal",
        detail: format!("This version of Muster does not know the job's work: {error}"),
    })?;
    match work {
        Work::Discover { cluster, trigger } => discover::run(job, cluster, &trigger).await,
        Work::Scan => scan::run(job).await,
        Work::Install { again, consoles } => {
            let wanted = Wanted { again, consoles };
            install::run(job, wanted).await
        }
    }
}

/// Takes back what an open target has set going, when its job ends without it.
pub(super) async fn abandon(app: &App, tx: &mut Tx, target: &TargetRow) -> Result<(), Error> {
    scan::abandon(app, tx, target).await?;
    install::abandon(app, tx, target).await
}
