//! Which endpoint is asked when another one fails.

use anyhow::Result;
use proxmox_client::{Client, Error, Fingerprints, Trust};

use crate::server::{Reply, Server, bare, dead_endpoint, json};
use crate::{client, token};

const VERSION: &str = r#"{"data":{"release":"9.1","version":"9.1.9"}}"#;
const NODE: &str = r#"{"data":{"uptime":5}}"#;

async fn healthy() -> Result<Server> {
    Server::start(|seen| json(if seen.target.contains("/nodes/") { NODE } else { VERSION })).await
}

#[tokio::test]
async fn a_dead_endpoint_is_passed_over_and_then_put_last() -> Result<()> {
    let alive = healthy().await?;
    let client = Client::builder([dead_endpoint().await?, alive.endpoint()])
        .token(token())
        .trust(Trust::Pinned(Fingerprints::new([alive.fingerprint()])))
        .build()?;
    for _ in 0..3 {
        client.version().await?;
    }
    assert_eq!(alive.seen().len(), 3);
    Ok(())
}

#[tokio::test]
async fn the_first_endpoint_is_preferred() -> Result<()> {
    let (first, second) = (healthy().await?, healthy().await?);
    let client = client(&[&first, &second]);
    client.version().await?;
    client.node_status("pve1").await?;
    assert_eq!((first.seen().len(), second.seen().len()), (2, 0));
    Ok(())
}

#[tokio::test]
async fn a_command_goes_to_the_next_endpoint_when_it_was_not_sent() -> Result<()> {
    let alive =
        Server::start(|_| json(r#"{"data":"UPID:pve1:000008B3:00043EFE:6B01147C:lxcexec:101:ops@pve!full:"}"#)).await?;
    let client = Client::builder([dead_endpoint().await?, alive.endpoint()])
        .token(token())
        .trust(Trust::Pinned(Fingerprints::new([alive.fingerprint()])))
        .build()?;
    assert_eq!(client.lxc_exec("pve1", 101, ["id"]).await?.kind(), "lxcexec");
    Ok(())
}

#[tokio::test]
async fn all_dead_says_how_each_failed() -> Result<()> {
    let (one, two) = (dead_endpoint().await?, dead_endpoint().await?);
    let client = Client::builder([one.clone(), two.clone()]).token(token()).build()?;
    let error = client.version().await.expect_err("nobody listens");
    let Error::NotSent { reason, .. } = &error else {
        anyhow::bail!("{error:?}")
    };
    assert!(
        reason.contains(&one.to_string()) && reason.contains(&two.to_string()),
        "{reason}"
    );
    assert!(reason.contains("refused"), "{reason}");
    Ok(())
}

#[tokio::test]
async fn cluster_wide_reading_goes_on_after_595_to_599() -> Result<()> {
    for status in ["595 Connection refused", "596 Broken pipe", "599 Too many redirections"] {
        let (ill, well) = (Server::start(move |_| bare(status)).await?, healthy().await?);
        let client = client(&[&ill, &well]);
        client.version().await?;
        client.version().await?;
        assert_eq!((ill.seen().len(), well.seen().len()), (1, 2), "{status}");
    }
    Ok(())
}

#[tokio::test]
async fn an_unreachable_node_is_not_asked_for_again_elsewhere() -> Result<()> {
    let (first, second) = (Server::start(|_| bare("595 No route to host")).await?, healthy().await?);
    let error = client(&[&first, &second])
        .node_status("pve2")
        .await
        .expect_err("unreachable");
    assert!(
        matches!(&error, Error::NodeUnreachable { node, .. } if node == "pve2"),
        "{error:?}"
    );
    assert_eq!((first.seen().len(), second.seen().len()), (1, 0));
    Ok(())
}

#[tokio::test]
async fn refusals_are_answers_and_end_the_search() -> Result<()> {
    for status in [
        "401 Authentication failed!",
        "403 Permission check failed (/, Sys.Audit)",
        "500 no",
        "501 no",
    ] {
        let (first, second) = (Server::start(move |_| bare(status)).await?, healthy().await?);
        assert!(client(&[&first, &second]).version().await.is_err());
        assert_eq!((first.seen().len(), second.seen().len()), (1, 0), "{status}");
    }
    Ok(())
}

#[tokio::test]
async fn reading_goes_on_when_an_endpoint_keeps_breaking_off() -> Result<()> {
    let (breaking, well) = (Server::start(|_| Reply::Reset).await?, healthy().await?);
    client(&[&breaking, &well]).version().await?;
    assert_eq!((breaking.seen().len(), well.seen().len()), (2, 1));
    Ok(())
}

#[tokio::test]
async fn a_node_is_asked_at_its_own_address() -> Result<()> {
    let (main, own) = (healthy().await?, healthy().await?);
    let client = client(&[&main, &own]);
    client.set_node_addresses([
        ("pve2".to_owned(), own.endpoint()),
        ("pve3".to_owned(), dead_endpoint().await?),
    ]);
    client.node_status("pve2").await?;
    assert_eq!((main.seen().len(), own.seen().len()), (0, 1));
    client.node_status("pve3").await?;
    client.version().await?;
    assert_eq!((main.seen().len(), own.seen().len()), (2, 1));
    Ok(())
}
