//! Commands in containers by a call of PVE, where there is one.

use anyhow::{Context as _, Result};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::clusters::guest;
use crate::harness::{Muster, can_run_agents, homelab, homelab_with_exec};

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

/// Scans a guest and answers its target.
async fn scan(muster: &Muster, guest: &Value) -> Result<Value> {
    let asked = muster
        .post("/api/v1/guests/bulk-scan", &json!({ "guests": [guest["id"]] }))
        .await?;
    let job = muster.ended(&asked.expect(StatusCode::ACCEPTED)?["job"]).await?;
    let target = muster.targets(&job).await?.into_values().next();
    target.context("a target")
}

#[tokio::test]
async fn a_501_is_remembered_for_the_whole_node() -> Result<()> {
    let (sim, muster) = (homelab()?, Muster::start().await?);
    let id = muster.add(&sim.clusters()[0]).await?;
    let tree = muster.tree(&id).await?;
    let (pihole, neighbour, other_node) = (guest(&tree, 101)?, guest(&tree, 100)?, guest(&tree, 200)?);
    assert_eq!(way(&muster, pihole).await?["state"], "untried");
    let target = scan(&muster, pihole).await?;
    assert_eq!(
        (&target["state"], &target["reason"]["code"]),
        (&json!("skipped"), &json!("no_reach")),
        "{target}"
    );
    let after = way(&muster, neighbour).await?;
    assert_eq!(after["state"], "impossible");
    assert!(
        after["reason"].as_str().is_some_and(|reason| reason.contains("501")),
        "{after}"
    );
    assert_eq!(way(&muster, other_node).await?["state"], "untried");
    let audit = muster.get("/api/v1/audit").await?;
    let entered = &audit["items"][0];
    assert_eq!(
        (
            &entered["action"],
            &entered["target"]["name"],
            &entered["detail"]["for"]
        ),
        (&json!("guest.enter"), &json!("debian-pihole"), &json!("scan")),
        "{audit}"
    );
    muster.assert_store_is_clean().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pve_that_has_the_call_is_used_and_is_a_way_in() -> Result<()> {
    if !can_run_agents("a_pve_that_has_the_call_is_used_and_is_a_way_in") {
        return Ok(());
    }
    let (sim, muster) = (homelab_with_exec()?, Muster::start().await?);
    let id = muster.add(&sim.clusters()[0]).await?;
    let tree = muster.tree(&id).await?;
    let target = scan(&muster, guest(&tree, 101)?).await?;
    assert_eq!(
        (&target["state"], &target["transport"]),
        (&json!("succeeded"), &json!("exec_endpoint")),
        "{target}"
    );
    let after = muster.tree(&id).await?;
    assert_eq!(guest(&after, 101)?["reach"]["best"], "exec_endpoint");
    muster.assert_store_is_clean().await
}
