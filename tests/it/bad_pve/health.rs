//! What is wrong with a cluster that can be read: clocks, quorum, nodes, storages. It goes when its cause does.

use anyhow::{Context as _, Result};
use muster::app::discovery::Trigger;
use serde_json::{Value, json};

use super::rights::reason;
use super::{NEWS, Yard, is_explained};
use crate::clusters::guest;

#[tokio::test]
async fn a_clock_that_is_wrong_is_reported_until_it_is_right() -> Result<()> {
    let yard = Yard::homelab().await?;
    let id = yard.add(&yard.lab.clusters()[1]).await?;
    assert_eq!(reason(&yard.cluster(&id).await?, "clock_skew", "pve3"), None);
    for (skew, words) in [
        (3600, Some("60 min ahead of")),
        (-7200, Some("2 h behind")),
        (250, None),
    ] {
        yard.lab
            .ctl(&format!("fault set --cluster homelab-2 --name skew --arg {skew}"))?;
        yard.discover(&id, Trigger::Request).await?;
        let shown = yard.cluster(&id).await?;
        assert_eq!(shown["status"], "active");
        let told = reason(&shown, "clock_skew", "pve3");
        assert_eq!(told.is_some(), words.is_some(), "{skew} s: {}", shown["health"]);
        if let (Some(told), Some(words)) = (told, words) {
            let detail = told["detail"].as_str().context("a detail")?;
            assert!(detail.contains(words), "{detail}");
            assert_eq!(shown["health"]["gravity"], "warning");
        }
        yard.lab.ctl("fault clear --cluster homelab-2")?;
        yard.discover(&id, Trigger::Request).await?;
        assert_eq!(reason(&yard.cluster(&id).await?, "clock_skew", "pve3"), None);
    }
    assert!(is_explained("clock_skew"));
    Ok(())
}

#[tokio::test]
async fn the_clock_of_one_node_is_told_from_those_of_the_others() -> Result<()> {
    let yard = Yard::homelab().await?;
    let id = yard.add(&yard.lab.clusters()[0]).await?;
    yard.lab
        .ctl("fault set --cluster homelab-1 --node pve2 --name skew --arg -86400")?;
    yard.discover(&id, Trigger::Request).await?;
    let shown = yard.cluster(&id).await?;
    assert!(reason(&shown, "clock_skew", "pve2").is_some(), "{}", shown["health"]);
    assert_eq!(reason(&shown, "clock_skew", "pve1"), None);
    Ok(())
}

#[tokio::test]
async fn a_node_that_falls_silent_takes_the_quorum_with_it_and_brings_it_back() -> Result<()> {
    let yard = Yard::homelab().await?;
    let id = yard.add(&yard.lab.clusters()[0]).await?;
    yard.lab.ctl("node stop --cluster homelab-1 --node pve1")?;
    // The first address is that of pve1: the cluster is asked through the other node.
    yard.discover(&id, Trigger::Request).await?;
    let tree = yard.muster.tree(&id).await?;
    let shown = &tree["cluster"];
    assert_eq!((&shown["status"], &shown["quorate"]), (&json!("active"), &json!(false)));
    for (code, subject) in [("no_quorum", ""), ("node_down", "pve1")] {
        let told = reason(shown, code, subject).with_context(|| format!("{code} in {}", shown["health"]))?;
        assert_eq!(told["gravity"], "critical");
        assert!(is_explained(code));
    }
    let pihole = guest(&tree, 101)?;
    assert_eq!(
        (&pihole["status"], pihole["stale_since"].is_string()),
        (&json!("running"), true),
        "PVE goes on saying that it runs"
    );
    assert!(
        pihole["stale_reason"]
            .as_str()
            .is_some_and(|text| text.contains("pve1 does not answer"))
    );
    assert_eq!(guest(&tree, 200)?["stale_since"], Value::Null);

    yard.lab.ctl("node start --cluster homelab-1 --node pve1")?;
    yard.pass(NEWS);
    yard.discover(&id, Trigger::Request).await?;
    let tree = yard.muster.tree(&id).await?;
    assert_eq!(tree["cluster"]["quorate"], true);
    assert_eq!(reason(&tree["cluster"], "no_quorum", ""), None);
    assert_eq!(reason(&tree["cluster"], "node_down", "pve1"), None);
    assert_eq!(guest(&tree, 101)?["stale_since"], Value::Null);
    yard.muster.assert_store_is_clean().await
}

#[tokio::test]
async fn a_storage_that_fills_up_is_told_in_time() -> Result<()> {
    let yard = Yard::homelab().await?;
    let id = yard.add(&yard.lab.clusters()[0]).await?;
    for (percent, gravity) in [(84, None), (85, Some("warning")), (96, Some("critical")), (40, None)] {
        yard.lab.ctl(&format!(
            "storage fill --cluster homelab-1 --name local-lvm --percent {percent}"
        ))?;
        yard.discover(&id, Trigger::Request).await?;
        let shown = yard.cluster(&id).await?;
        let told = reason(&shown, "storage_full", "local-lvm on pve1");
        let told = told.and_then(|reason| reason["gravity"].as_str());
        assert_eq!(told, gravity, "{percent} %: {}", shown["health"]);
    }
    assert!(is_explained("storage_full"));
    Ok(())
}

#[tokio::test]
async fn guests_without_a_backup_job_are_counted() -> Result<()> {
    let yard = Yard::homelab().await?;
    let id = yard.add(&yard.lab.clusters()[0]).await?;
    let shown = yard.cluster(&id).await?;
    let told = reason(&shown, "not_backed_up", "").context("some have none")?;
    let detail = told["detail"].as_str().context("a detail")?;
    assert!(detail.starts_with("4 guests are in no backup job"), "{detail}");
    assert!(is_explained("not_backed_up"));
    Ok(())
}
