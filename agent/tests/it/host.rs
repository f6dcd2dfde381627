use std::time::Duration;

use anyhow::{Context, Result};
use muster_agent::host::{HostError, Limits};
use muster_agent::{Host, Shell, StateDir, scan_here};
use tempfile::TempDir;

use crate::guest::{TestHost, until};

fn limits(deadline: Duration, output: usize) -> Limits {
    Limits { deadline, output }
}

/// Whether a process is there and not just a zombie.
fn alive(pid: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

#[tokio::test]
async fn at_the_deadline_everything_that_a_script_started_is_killed() -> Result<()> {
    let folder = TempDir::new()?;
    let list = folder.path().join("pids");
    let script = format!(
        "trap '' TERM; sh -c 'trap \"\" TERM; echo $$ >>{0}; while :; do sleep 60; done' & echo $$ >>{0}; wait; while :; do sleep 60; done",
        list.display()
    );
    let ended = Shell.run(&script, limits(Duration::from_millis(500), 1024)).await;
    assert!(matches!(ended, Err(HostError::TimedOut(_))), "{ended:?}");
    let pids = std::fs::read_to_string(&list).context("the script ran")?;
    assert_eq!(pids.lines().count(), 2);
    until(|| !pids.lines().any(alive)).await
}

#[tokio::test]
async fn output_has_a_limit_and_complaints_a_tail() -> Result<()> {
    let flood = Shell.run("yes", limits(Duration::from_secs(30), 1000)).await;
    assert!(matches!(flood, Err(HostError::TooMuch(1000))), "{flood:?}");
    let output = Shell
        .run(
            "printf out; i=0; while [ $i -lt 2000 ]; do echo $i; i=$((i+1)); done >&2",
            limits(Duration::from_secs(30), 3),
        )
        .await?;
    assert_eq!(output.stdout, b"out");
    assert!(output.stderr.len() <= 4096 && output.stderr.ends_with("1999\n"));
    Ok(())
}

#[tokio::test]
async fn a_daemon_that_keeps_the_pipe_open_does_not_block() -> Result<()> {
    let output = Shell
        .run("sleep 600 & echo done", limits(Duration::from_secs(30), 100))
        .await?;
    assert_eq!(output.stdout, b"done\n");
    Ok(())
}

#[tokio::test]
async fn two_scans_never_run_at_once() -> Result<()> {
    let folder = TempDir::new()?;
    let state = StateDir::open(folder.path())?;
    let _other = state.try_lock("scan.lock")?.context("free")?;
    let refused = scan_here(&TestHost::default(), &state, Duration::from_secs(30)).await;
    assert_eq!(refused.err().map(|failure| failure.code).as_deref(), Some("locked"));
    Ok(())
}
