//! Following tasks.

use std::time::Duration;

use anyhow::Result;
use proxmox_client::{Error, Upid};

use crate::client;
use crate::server::{Reply, Server, recording};

const SOON: Duration = Duration::from_secs(20);

fn upid() -> Upid {
    "UPID:pve1:000008B3:00043EFE:6B01147C:vzstart:101:ops@pve!full:"
        .parse()
        .expect("recorded")
}

#[tokio::test]
async fn the_state_of_a_task() -> Result<()> {
    let server = Server::replaying("task-status-running").await?;
    let status = client(&[&server]).task_status(&upid()).await?;
    assert_eq!(
        (&status.upid, status.has_ended(), status.has_succeeded()),
        (&upid(), false, false)
    );
    assert_eq!(
        server.seen()[0].target,
        "/api2/json/nodes/pve1/tasks/\
         UPID%3Apve1%3A000008B3%3A00043EFE%3A6B01147C%3Avzstart%3A101%3Aops%40pve%21full%3A/status"
    );
    Ok(())
}

#[tokio::test]
async fn warnings_are_a_success() -> Result<()> {
    for (name, warnings) in [("task-status-ok", 0), ("task-status-warnings", 1)] {
        let server = Server::replaying(name).await?;
        let status = client(&[&server]).wait_task(&upid(), SOON).await?;
        assert!(status.has_succeeded());
        assert_eq!(status.warnings(), warnings);
    }
    Ok(())
}

#[tokio::test]
async fn a_failed_task_says_why() -> Result<()> {
    let server = Server::replaying("task-status-error-locked").await?;
    let error = client(&[&server])
        .wait_task(&upid(), SOON)
        .await
        .expect_err("it failed");
    assert!(
        matches!(&error, Error::TaskFailed { exit, .. } if exit == "CT is locked (create)"),
        "{error:?}"
    );
    Ok(())
}

#[tokio::test]
async fn waiting_looks_again_also_after_a_look_without_answer() -> Result<()> {
    let (running, ended) = (recording("task-status-running")?, recording("task-status-ok")?);
    let server = Server::start(move |seen| match seen.connection {
        1 => Reply::Raw(running.clone()),
        2 | 3 => Reply::Reset,
        _ => Reply::Raw(ended.clone()),
    })
    .await?;
    assert!(client(&[&server]).wait_task(&upid(), SOON).await?.has_succeeded());
    assert_eq!(server.seen().len(), 4);
    Ok(())
}

#[tokio::test]
async fn waiting_ends() -> Result<()> {
    let server = Server::replaying("task-status-running").await?;
    let within = Duration::from_millis(500);
    let error = client(&[&server])
        .wait_task(&upid(), within)
        .await
        .expect_err("it runs on");
    assert_eq!(
        error,
        Error::TimedOut {
            call: "wait_task",
            after: within
        }
    );
    let server = Server::start(|_| Reply::Silence).await?;
    let error = client(&[&server])
        .wait_task(&upid(), Duration::from_millis(50))
        .await
        .expect_err("silence");
    assert!(matches!(error, Error::TimedOut { call: "wait_task", .. }), "{error:?}");
    Ok(())
}

#[tokio::test]
async fn a_forgotten_task_is_not_waited_for() -> Result<()> {
    let server = Server::replaying("err-task-unknown").await?;
    let error = client(&[&server])
        .wait_task(&upid(), SOON)
        .await
        .expect_err("no such task");
    assert!(matches!(error, Error::Rejected { status: 400, .. }), "{error:?}");
    assert_eq!(server.seen().len(), 1);
    Ok(())
}

#[tokio::test]
async fn the_log_of_a_task() -> Result<()> {
    let server = Server::replaying("task-log-clone").await?;
    let lines = client(&[&server]).task_log(&upid(), 0).await?;
    assert_eq!(lines[0].n, 1);
    assert_eq!(lines[0].text, "creating a clone of container 101 with ID 103");
    assert_eq!(lines.last().map(|line| line.text.as_str()), Some("TASK OK"));
    assert!(
        server.seen()[0].target.ends_with("/log?start=0&limit=0"),
        "{}",
        server.seen()[0].target
    );

    let server = Server::start(|_| crate::server::json(r#"{"data":[{"n":1,"t":"no content"}],"total":1}"#)).await?;
    assert_eq!(client(&[&server]).task_log(&upid(), 3).await?, []);
    assert!(server.seen()[0].target.ends_with("/log?start=3&limit=0"));
    let server = Server::replaying("err-task-log-unknown").await?;
    assert!(
        client(&[&server]).task_log(&upid(), 0).await?[0]
            .text
            .starts_with("unable to open file")
    );
    Ok(())
}
