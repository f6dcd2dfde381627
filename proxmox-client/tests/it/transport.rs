//! Connections, sizes and times.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Result;
use flate2::Compression;
use flate2::write::GzEncoder;
use proxmox_client::{Error, Limits};
use tokio::sync::Notify;

use crate::server::{Reply, Server, json};
use crate::{SECRET, builder, client};

const VERSION: &str = r#"{"data":{"release":"9.1","version":"9.1.9"}}"#;

#[tokio::test]
async fn requests_are_as_pve_wants_them() -> Result<()> {
    let server = Server::start(|_| json(VERSION)).await?;
    client(&[&server]).version().await?;
    let request = &server.seen()[0];
    assert_eq!(request.method, "GET");
    assert_eq!(
        request.header("authorization"),
        Some(format!("PVEAPIToken=ops@pve!full={SECRET}").as_str())
    );
    assert_eq!(request.header("accept-encoding"), Some("gzip"));
    assert_eq!(
        (request.header("content-length"), request.header("transfer-encoding")),
        (None, None)
    );
    assert_eq!(request.header("referer"), None);
    Ok(())
}

#[tokio::test]
async fn connections_are_kept() -> Result<()> {
    let server = Server::start(|_| json(VERSION)).await?;
    let client = client(&[&server]);
    for _ in 0..5 {
        client.version().await?;
    }
    assert_eq!((server.seen().len(), server.connections()), (5, 1));
    Ok(())
}

/// PVE closes kept connections without a word, and a request may be on its way at that moment.
fn dies_when_used_again(request: &crate::server::Seen) -> Reply {
    if request.connection == 1 && request.on_connection > 1 {
        Reply::Reset
    } else {
        json(VERSION)
    }
}

#[tokio::test]
async fn reading_is_repeated_when_a_kept_connection_dies() -> Result<()> {
    let server = Server::start(dies_when_used_again).await?;
    let client = client(&[&server]);
    client.version().await?;
    client.version().await?;
    assert_eq!((server.seen().len(), server.connections()), (3, 2));
    Ok(())
}

#[tokio::test]
async fn reading_is_repeated_once_only() -> Result<()> {
    let server = Server::start(|_| Reply::Reset).await?;
    let error = client(&[&server]).version().await.expect_err("no answer");
    assert!(matches!(error, Error::Unknown { call: "version", .. }), "{error:?}");
    assert_eq!(server.seen().len(), 2);
    Ok(())
}

#[tokio::test]
async fn a_command_is_never_sent_again() -> Result<()> {
    let reset = Server::start(|seen| {
        if seen.method == "POST" {
            Reply::Reset
        } else {
            json(VERSION)
        }
    })
    .await?;
    let other = Server::start(|_| json(VERSION)).await?;
    let client = client(&[&reset, &other]);
    client.version().await?;
    let error = client.lxc_exec("pve1", 100, ["reboot"]).await.expect_err("no answer");
    assert!(matches!(&error, Error::Unknown { call: "lxc_exec", endpoint, .. } if *endpoint == reset.endpoint()));
    assert_eq!((reset.seen().len(), other.seen().len()), (2, 0));
    Ok(())
}

#[tokio::test]
async fn a_command_does_not_meet_a_kept_connection() -> Result<()> {
    let task = r#"{"data":"UPID:pve1:000008B3:00043EFE:6B01147C:lxcexec:101:ops@pve!full:"}"#;
    let server = Server::start(move |seen| {
        if seen.method == "POST" {
            json(task)
        } else {
            json(VERSION)
        }
    })
    .await?;
    let client = client(&[&server]);
    for _ in 0..2 {
        client.version().await?;
        client.lxc_exec("pve1", 101, ["id"]).await?;
    }
    let commands = server.seen().into_iter().filter(|seen| seen.method == "POST");
    assert!(
        commands.clone().all(|seen| seen.on_connection == 1),
        "{:?}",
        commands.collect::<Vec<_>>()
    );
    assert_eq!(server.connections(), 3);
    Ok(())
}

#[tokio::test]
async fn an_answer_that_ends_early_is_no_answer() -> Result<()> {
    let server = Server::start(|_| {
        Reply::CutOff(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"data\":{\"release\":\"9.1\"".to_vec())
    })
    .await?;
    let error = client(&[&server]).version().await.expect_err("half an answer");
    assert!(matches!(error, Error::Unknown { .. }), "{error:?}");
    Ok(())
}

fn many_guests(count: usize) -> String {
    let guests: Vec<String> = (0..count)
        .map(|n| {
            let name = "x".repeat(200);
            format!(r#"{{"type":"lxc","id":"lxc/{n}","vmid":{n},"node":"pve1","name":"{name}","status":"running"}}"#)
        })
        .collect();
    format!(r#"{{"data":[{}]}}"#, guests.join(","))
}

#[tokio::test]
async fn a_large_answer_is_read() -> Result<()> {
    let body = many_guests(20_000);
    assert!(body.len() > 5_000_000);
    let server = Server::start(move |_| json(&body)).await?;
    assert_eq!(client(&[&server]).resources().await?.guests.len(), 20_000);
    Ok(())
}

#[tokio::test]
async fn a_larger_answer_is_cut_off() -> Result<()> {
    let body = many_guests(20_000);
    let server = Server::start(move |_| json(&body)).await?;
    let client = builder(&[&server]).max_answer(4_000_000).build()?;
    let error = client.resources().await.expect_err("too large");
    assert_eq!(
        error,
        Error::TooLarge {
            call: "resources",
            limit: 4_000_000
        }
    );
    Ok(())
}

#[tokio::test]
async fn compressed_answers_are_read_and_count_in_full() -> Result<()> {
    let body = many_guests(20_000);
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body.as_bytes())?;
    let packed = encoder.finish()?;
    assert!(packed.len() < 1_000_000);
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
        packed.len()
    );
    let answer = [head.as_bytes(), &packed].concat();
    let server = Server::start(move |_| Reply::Raw(answer.clone())).await?;
    assert_eq!(client(&[&server]).resources().await?.guests.len(), 20_000);
    let small = builder(&[&server]).max_answer(1_000_000).build()?;
    assert!(matches!(small.resources().await, Err(Error::TooLarge { .. })));
    Ok(())
}

#[tokio::test]
async fn a_slow_answer_is_given_up() -> Result<()> {
    let server = Server::start(|_| Reply::Silence).await?;
    let client = builder(&[&server]).timeout(Duration::from_millis(50)).build()?;
    let error = client.node_status("pve1").await.expect_err("silence");
    assert!(
        matches!(
            error,
            Error::TimedOut {
                call: "node_status",
                ..
            }
        ),
        "{error:?}"
    );
    let error = client.lxc_exec("pve1", 100, ["id"]).await.expect_err("silence");
    assert!(matches!(error, Error::Unknown { call: "lxc_exec", .. }), "{error:?}");
    assert_eq!(server.seen().len(), 2);
    Ok(())
}

/// Counts the requests under way and holds them until it is told to go on.
#[tokio::test]
async fn calls_wait_for_their_turn() -> Result<()> {
    let (now, most, arrived) = (
        Arc::new(AtomicUsize::new(0)),
        Arc::new(AtomicUsize::new(0)),
        Arc::new(Notify::new()),
    );
    let (count, peak, bell) = (now.clone(), most.clone(), arrived.clone());
    let server = Server::start(move |_| {
        peak.fetch_max(count.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        bell.notify_one();
        Reply::Silence
    })
    .await?;
    let client = builder(&[&server])
        .limits(Limits {
            per_cluster: 3,
            per_node: 2,
        })
        .build()?;
    let calls: Vec<_> = ["pve1", "pve1", "pve1", "pve1", "pve2", "pve2"]
        .into_iter()
        .map(|node| {
            let client = client.clone();
            tokio::spawn(async move { client.node_status(node).await })
        })
        .collect();
    while now.load(Ordering::SeqCst) < 3 {
        arrived.notified().await;
    }
    let on_pve1 = server
        .seen()
        .iter()
        .filter(|seen| seen.target.contains("/pve1/"))
        .count();
    assert_eq!((on_pve1, server.seen().len()), (2, 3));
    for call in &calls {
        call.abort();
    }
    assert_eq!(most.load(Ordering::SeqCst), 3);
    Ok(())
}
