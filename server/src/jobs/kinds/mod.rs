//! The kinds of jobs, one file each.

mod discover;

use muster_domain::job::Work;

use super::{JobContext, JobError, Next};

/// Runs a job once, or on from where a former run ended.
pub(super) async fn run(job: &JobContext) -> Result<Next, JobError> {
    let work: Work = serde_json::from_value(job.job.work.0.clone()).map_err(|error| JobError::Fail {
        code: "internal",
        detail: format!("This version of Muster does not know the job's work: {error}"),
    })?;
    match work {
        Work::Discover { cluster, trigger } => discover::run(job, cluster, &trigger).await,
        Work::Scan | Work::Install => Err(JobError::Fail {
            code: "internal",
            detail: "This version of Muster cannot do this kind of job.".to_owned(),
        }),
    }
}
