//! Commands in virtual machines. The answers follow qemu-server's `PVE/API2/Qemu/Agent.pm`: there is no recording.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Result;
use proxmox_client::Error;

use crate::client;
use crate::server::{Reply, Seen, Server, bare, json, recording};

const SOON: Duration = Duration::from_secs(20);
const AGENT: &str = "/api2/json/nodes/pve1/qemu/200/agent";
const STARTED: &str = r#"{"data":{"pid":"4711"}}"#;
const RUNNING: &str = r#"{"data":{"exited":0}}"#;

/// Starts a command, and answers the looks at it one after the other; the last answer stays.
async fn machine(looks: Vec<Reply>) -> Result<Server> {
    let count = AtomicUsize::new(0);
    Server::start(move |seen: &Seen| {
        if seen.method == "POST" {
            return json(STARTED);
        }
        let look = count.fetch_add(1, Ordering::SeqCst);
        looks[look.min(looks.len() - 1)].clone()
    })
    .await
}

async fn run(server: &Server) -> proxmox_client::Result<proxmox_client::Output> {
    client(&[server])
        .qemu_exec("pve1", 200, &["/bin/sh", "-s"], b"", SOON)
        .await
}

#[tokio::test]
async fn a_command_runs_to_its_end() -> Result<()> {
    let ended = r#"{"data":{"exited":1,"exitcode":7,"out-data":"Ã©\u0000ÿ\n","err-data":"warn\n","out-truncated":0}}"#;
    let server = machine(vec![json(RUNNING), json(RUNNING), json(ended)]).await?;
    let input = [b"echo a&b;c=+\n".as_slice(), &[0, 0xe9, 0xff]].concat();
    let output = client(&[&server])
        .qemu_exec("pve1", 200, &["/bin/sh", "-c", "cat; exit 7"], &input, SOON)
        .await?;
    assert_eq!(output.exit, 7);
    assert_eq!(output.stdout, b"\xc3\xa9\0\xff\n");
    assert_eq!(output.stderr, b"warn\n");
    let seen = server.seen();
    assert_eq!(seen[0].target, format!("{AGENT}/exec"));
    assert_eq!(
        seen[0].body,
        "command=%2Fbin%2Fsh&command=-c&command=cat%3B+exit+7&input-data=echo+a%26b%3Bc%3D%2B%0A%00%C3%A9%C3%BF"
    );
    assert_eq!(seen.len(), 4);
    assert!(
        seen[1..]
            .iter()
            .all(|look| look.target == format!("{AGENT}/exec-status?pid=4711"))
    );
    Ok(())
}

#[tokio::test]
async fn silence_is_no_output_and_a_signal_is_an_end() -> Result<()> {
    let server = machine(vec![json(r#"{"data":{"exited":1,"exitcode":0}}"#)]).await?;
    let output = run(&server).await?;
    assert!(output.succeeded() && output.stdout.is_empty() && output.stderr.is_empty());
    let server = machine(vec![json(r#"{"data":{"exited":1,"signal":9}}"#)]).await?;
    assert_eq!(run(&server).await?.exit, 137);
    Ok(())
}

#[tokio::test]
async fn output_that_the_agent_cut_off_is_not_taken_for_all() -> Result<()> {
    let server = machine(vec![json(
        r#"{"data":{"exited":1,"exitcode":0,"out-data":"half","out-truncated":1}}"#,
    )])
    .await?;
    let error = run(&server).await.expect_err("cut off");
    assert!(matches!(error, Error::TooLarge { call: "qemu_exec", .. }), "{error:?}");
    Ok(())
}

#[tokio::test]
async fn a_look_without_answer_is_repeated() -> Result<()> {
    let ended = json(r#"{"data":{"exited":1,"exitcode":0,"out-data":"x"}}"#);
    let server = machine(vec![
        Reply::Reset,
        Reply::Reset,
        bare("596 Connection timed out"),
        ended,
    ])
    .await?;
    assert_eq!(run(&server).await?.stdout, b"x");
    Ok(())
}

#[tokio::test]
async fn an_end_that_was_lost_on_its_way_is_not_a_refusal() -> Result<()> {
    let forgotten = bare("500 Agent error: Invalid parameter 'pid'");
    let server = machine(vec![
        Reply::CutOff(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{".to_vec()),
        forgotten,
    ])
    .await?;
    let error = run(&server).await.expect_err("its end is lost");
    assert!(
        matches!(&error, Error::Unknown { call: "qemu_exec_status", reason, .. } if reason.contains("'pid'")),
        "{error:?}"
    );
    assert!(error.may_have_happened());
    Ok(())
}

#[tokio::test]
async fn a_machine_without_agent_runs_nothing() -> Result<()> {
    let refusal = recording("err-qemu-agent-exec-stopped")?;
    let server = Server::start(move |_| Reply::Raw(refusal.clone())).await?;
    let error = run(&server).await.expect_err("it has no agent");
    assert!(
        matches!(&error, Error::Rejected { status: 500, message, .. } if message == "No QEMU guest agent configured"),
        "{error:?}"
    );
    assert_eq!(server.seen().len(), 1);
    Ok(())
}

#[tokio::test]
async fn waiting_for_a_command_ends() -> Result<()> {
    let server = machine(vec![json(RUNNING)]).await?;
    let within = Duration::from_millis(300);
    let error = client(&[&server])
        .qemu_exec("pve1", 200, &["sleep", "60"], b"", within)
        .await
        .expect_err("it runs on");
    assert_eq!(
        error,
        Error::TimedOut {
            call: "qemu_exec",
            after: within
        }
    );
    Ok(())
}

#[tokio::test]
async fn too_much_input_is_not_sent() -> Result<()> {
    let server = machine(vec![json(RUNNING)]).await?;
    let error = client(&[&server])
        .qemu_exec("pve1", 200, &["cat"], &vec![b'x'; 64 * 1024 + 1], SOON)
        .await
        .expect_err("too much");
    assert!(matches!(error, Error::Invalid { what: "input", .. }), "{error:?}");
    assert_eq!(server.seen().len(), 0);
    Ok(())
}
