//! Calls about tasks: the work that PVE does in the background.

use std::time::Duration;

use serde::Deserialize;
use tokio::time::Instant;

use crate::{Client, Error, Result, Upid, catalogue, perl};

/// The pause between two looks at a running task grows from the first to the longest by half.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How a task is doing. Who started it, when and what for stands in its id.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct TaskStatus {
    /// Its id.
    pub upid: Upid,
    /// `running` or `stopped`.
    #[serde(deserialize_with = "perl::sure")]
    pub status: String,
    /// How it ended: `OK`, `WARNINGS: 2`, or what went wrong in one line.
    #[serde(default, rename = "exitstatus", deserialize_with = "perl::maybe")]
    pub exit_status: Option<String>,
}

impl TaskStatus {
    /// Whether it has ended.
    pub fn has_ended(&self) -> bool {
        self.status == "stopped"
    }

    /// Whether it has ended well; warnings count as well.
    pub fn has_succeeded(&self) -> bool {
        let exit = self.exit_status.as_deref().unwrap_or_default();
        self.has_ended() && (exit == "OK" || self.warnings() > 0)
    }

    /// The number of warnings that it ended with.
    pub fn warnings(&self) -> u32 {
        let exit = self.exit_status.as_deref().unwrap_or_default();
        exit.strip_prefix("WARNINGS: ")
            .and_then(|n| n.parse().ok())
            .unwrap_or(0)
    }
}

/// A line that a task has written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct LogLine {
    /// Its number, from 1.
    #[serde(deserialize_with = "perl::sure")]
    pub n: u64,
    /// Its text.
    #[serde(rename = "t", default)]
    pub text: String,
}

/// A task in a list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Task {
    /// Its id, with node, kind, object, user and start in it.
    pub upid: Upid,
    /// When it ended, in seconds since 1970; missing while it runs.
    #[serde(default, rename = "endtime", deserialize_with = "perl::maybe")]
    pub end_time: Option<i64>,
    /// `RUNNING`, or how it ended as in [`TaskStatus::exit_status`].
    #[serde(default, deserialize_with = "perl::maybe")]
    pub status: Option<String>,
}

/// Which tasks of a node to list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TaskFilter {
    /// Of this guest only.
    pub vmid: Option<u32>,
    /// Of this kind only, such as `vzstart`.
    pub kind: Option<String>,
    /// Started since then, in seconds since 1970.
    pub since: Option<i64>,
    /// At most so many; 50 when not said.
    pub limit: Option<u32>,
    /// Running or finished ones; finished ones when not said.
    pub source: TaskSource,
}

/// Whether running or finished tasks are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TaskSource {
    /// Finished tasks.
    #[default]
    Finished,
    /// Running tasks.
    Running,
    /// Both.
    All,
}

impl Client {
    /// The tasks of a node, newest first. A token sees its own; those of others need `Sys.Audit` on `/nodes/{node}`.
    pub async fn tasks(&self, node: &str, filter: &TaskFilter) -> Result<Vec<Task>> {
        let source = match filter.source {
            TaskSource::Finished => "archive",
            TaskSource::Running => "active",
            TaskSource::All => "all",
        };
        let mut request = catalogue::TASKS.at(&[node])?.with("source", source);
        if let Some(vmid) = filter.vmid {
            request = request.with("vmid", vmid);
        }
        if let Some(kind) = &filter.kind {
            request = request.with("typefilter", kind);
        }
        if let Some(since) = filter.since {
            request = request.with("since", since);
        }
        if let Some(limit) = filter.limit {
            request = request.with("limit", limit);
        }
        self.fetch_or_default(request).await
    }

    /// How a task is doing, asked at the node that runs it. A task whose log was rotated away is `Rejected` with
    /// `no such task` in its fields.
    pub async fn task_status(&self, upid: &Upid) -> Result<TaskStatus> {
        self.fetch(catalogue::TASK_STATUS.at(&[upid.node(), upid.as_str()])?)
            .await
    }

    /// What a task has written so far, without its first `skip` lines. PVE answers for a log that is gone with one
    /// line, `unable to open file - …`.
    pub async fn task_log(&self, upid: &Upid, skip: u64) -> Result<Vec<LogLine>> {
        let request = catalogue::TASK_LOG.at(&[upid.node(), upid.as_str()])?;
        let lines: Vec<LogLine> = self
            .fetch_or_default(request.with("start", skip).with("limit", 0))
            .await?;
        Ok(if is_placeholder(&lines) { Vec::new() } else { lines })
    }

    /// Waits until a task has ended, looking every 1 s at first and every 5 s at last, for at most `within`.
    ///
    /// An end with warnings is a success. Fails with `TaskFailed` when it ended badly. A look that gets no answer is
    /// repeated until the time is over; then its error is the result, or `TimedOut` for a task that still runs.
    pub async fn wait_task(&self, upid: &Upid, within: Duration) -> Result<TaskStatus> {
        let deadline = Instant::now() + within;
        let mut pause = FIRST_PAUSE;
        loop {
            let outcome = match tokio::time::timeout_at(deadline, self.task_status(upid)).await {
                Ok(Ok(status)) if status.has_ended() => return ended(status),
                Ok(Err(error)) if !may_pass(&error) => return Err(error),
                Ok(Err(error)) => error,
                Ok(Ok(_)) | Err(_) => Error::TimedOut {
                    call: "wait_task",
                    after: within,
                },
            };
            if Instant::now() + pause >= deadline {
                return Err(outcome);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 3 / 2).min(LONGEST_PAUSE);
        }
    }
}

fn ended(status: TaskStatus) -> Result<TaskStatus> {
    if status.has_succeeded() {
        return Ok(status);
    }
    let exit = status
        .exit_status
        .unwrap_or_else(|| "it ended without a status".to_owned());
    Err(Error::TaskFailed {
        upid: status.upid,
        exit,
    })
}

/// Whether a failed look says nothing about the task.
fn may_pass(error: &Error) -> bool {
    matches!(
        error,
        Error::NotSent { .. } | Error::Unknown { .. } | Error::TimedOut { .. } | Error::NodeUnreachable { .. }
    )
}

/// PVE writes one line for an empty log, since its web interface cannot show none.
fn is_placeholder(lines: &[LogLine]) -> bool {
    matches!(lines, [LogLine { n: 1, text }] if text == "no content")
}
