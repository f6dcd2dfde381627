//! The first step where it was asked for: the console shows a shell, and the container is restarted for that.

use muster_domain::install::Consoles;
use muster_store::guests::GuestRow;
use muster_store::job_targets::TargetRow;

use super::through_pve::Trouble;
use crate::jobs::{JobContext, JobError};

/// Opens the console now; one that was set only is left to the next restart, which ends the target.
pub(super) async fn open(
    job: &JobContext,
    target: &TargetRow,
    row: &GuestRow,
    consoles: Consoles,
) -> Result<(), Trouble> {
    let opened = job.app.open_console(row).await.map_err(JobError::from)??;
    if opened {
        return Ok(());
    }
    if consoles != Consoles::Restart {
        let detail =
            "cmode=shell is set and takes effect at the next restart of the container: install the agent then.";
        return Err(Trouble::Final("restart_awaited".to_owned(), detail.to_owned()));
    }
    job.log("info", Some(target), "cmode=shell is set; restarting the container.")
        .await?;
    let said = job.app.restart_for_console(row).await.map_err(JobError::from)??;
    for line in said {
        job.log("info", Some(target), &line).await?;
    }
    Ok(())
}
