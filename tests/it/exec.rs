//! Commands in containers by a call of PVE, where there is one.

use std::time::Duration;

use anyhow::{Context as _, Result};
use muster::app::Error;
use muster_domain::GuestId;
use serde_json::{Value, json};

use crate::clusters::guest;
use crate::harness::{Muster, homelab, homelab_with_exec, shell};

/// More than a command in a test takes.
const WITHIN: Duration = Duration::from_secs(30);

async fn way(muster: &Muster, guest: &Value) -> Result<Value> {
    let page = muster
        .get(&format!("/api/v1/guests/{}", guest["id"].as_str().context("an id")?))
        .await?;
    let ways = page["reach"]["ways"].as_array().context("ways")?;
    Ok(ways
        .iter()
        .find(|way| way["transport"] == "exec_endpoint")
        .context("the way")?
        .clone())
}

#[tokio::test]
async fn a_501_is_remembered_for_the_whole_node() -> Result<()> {
    let (sim, muster) = (homelab()?, Muster::start().await?);
    let id = muster.add(&sim.clusters()[0]).await?;
    let tree = muster.tree(&id).await?;
    let (pihole, neighbour, other_node) = (guest(&tree, 101)?, guest(&tree, 100)?, guest(&tree, 200)?);
    assert_eq!(way(&muster, pihole).await?["state"], "needs", "nobody has tried");
    let target: GuestId = pihole["id"].as_str().context("an id")?.parse()?;
    let refused = muster
        .app
        .run_by_exec_call(&shell(&muster.app), target, "true", WITHIN)
        .await;
    assert!(
        matches!(
            &refused,
            Err(Error::Upstream {
                code: "pve_lacks_call",
                ..
            })
        ),
        "{refused:?}"
    );
    let after = way(&muster, neighbour).await?;
    assert_eq!(after["state"], "impossible");
    assert!(
        after["reason"].as_str().is_some_and(|reason| reason.contains("501")),
        "{after}"
    );
    assert_eq!(way(&muster, other_node).await?["state"], "needs");
    let audit = muster.get("/api/v1/audit").await?;
    assert_eq!(
        (&audit["items"][0]["action"], &audit["items"][0]["target"]["name"]),
        (&json!("guest.run"), &json!("debian-pihole")),
        "{audit}"
    );
    muster.assert_store_is_clean().await
}

#[tokio::test]
async fn a_pve_that_has_the_call_is_used_and_is_a_way_in() -> Result<()> {
    let (sim, muster) = (homelab_with_exec()?, Muster::start().await?);
    let id = muster.add(&sim.clusters()[0]).await?;
    let tree = muster.tree(&id).await?;
    let pihole = guest(&tree, 101)?;
    let target: GuestId = pihole["id"].as_str().context("an id")?.parse()?;
    let ctx = shell(&muster.app);
    let ran = muster
        .app
        .run_by_exec_call(&ctx, target, "echo here; hostname", WITHIN)
        .await?;
    assert_eq!(
        (ran.succeeded, ran.text.as_str()),
        (true, "here\ndebian-pihole\n"),
        "{ran:?}"
    );
    let failed = muster.app.run_by_exec_call(&ctx, target, "exit 3", WITHIN).await?;
    assert_eq!((failed.succeeded, failed.exit.as_str()), (false, "exit code 3"));
    let after = muster.tree(&id).await?;
    assert_eq!(guest(&after, 101)?["reach"]["best"], "exec_endpoint");
    muster.assert_store_is_clean().await
}
