//! Finds a cluster's nodes and guests.

use muster_domain::ClusterId;
use serde_json::json;

use crate::app::Error;
use crate::app::discovery::{self, Found, Summary, Trigger};
use crate::jobs::{JobContext, JobError, Next, Step};

/// Discovers the cluster, which is the job's one target. Doing it again after a crash does no harm.
pub(super) async fn run(job: &JobContext, cluster: ClusterId, trigger: &str) -> Result<Next, JobError> {
    let trigger = match trigger {
        "added" => Trigger::Added,
        _ => Trigger::Request,
    };
    for mut target in job.open_targets().await? {
        let line = format!("Reading {}", target.name);
        job.advance(&mut target, Step::start("reading", line)).await?;
        let found = tokio::select! {
            found = discovery::run(&job.app, cluster, trigger) => found,
            () = job.stop.cancelled() => return Err(JobError::Stopped),
        };
        let step = match found {
            Ok(summary) => {
                tell(job, &summary).await?;
                Step::succeed(json!(summary), found_words(&summary))
            }
            Err(Error::Upstream { code, detail } | Error::Conflict { code, detail }) => Step::fail(code, detail),
            Err(Error::NotFound { .. }) => Step::fail("not_found", "The cluster was removed meanwhile."),
            Err(error) => return Err(error.into()),
        };
        job.advance(&mut target, step).await?;
    }
    Ok(Next::Done)
}

/// One line for everything new, changed, gone or unreadable.
async fn tell(job: &JobContext, summary: &Summary) -> Result<(), JobError> {
    for (word, list) in [
        ("New", &summary.appeared),
        ("Changed", &summary.changed),
        ("Gone", &summary.gone),
    ] {
        for found in list {
            job.log("info", None, &format!("{word}: {}", found_line(found))).await?;
        }
    }
    for trouble in &summary.errors {
        let node = trouble
            .node
            .as_deref()
            .map_or(String::new(), |node| format!("{node}: "));
        job.log("warning", None, &format!("{node}{}", trouble.detail)).await?;
    }
    Ok(())
}

fn found_line(found: &Found) -> String {
    let number = found.vmid.map_or(String::new(), |vmid| format!(" {vmid}"));
    let facts = match found.facts.as_slice() {
        [] => String::new(),
        facts => format!(" ({})", facts.join(", ")),
    };
    format!("{}{number} {}{facts}", found.kind, found.name)
}

fn found_words(summary: &Summary) -> String {
    let count = |number: usize, one: &str, many: &str| format!("{number} {}", if number == 1 { one } else { many });
    let problems = match summary.errors.len() {
        0 => String::new(),
        number => format!("; {} could not be read", count(number, "thing", "things")),
    };
    format!(
        "Found {} and {}{problems}",
        count(summary.nodes_found, "node", "nodes"),
        count(summary.guests_found, "guest", "guests")
    )
}
