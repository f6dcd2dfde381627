//! What happens to a cluster over months: it is renamed, loses a node, gets another token, is added twice, paused, removed.

use anyhow::{Context as _, Result};
use muster::app::discovery::Trigger;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{CLUSTERS, NEWS, Yard, is_explained};
use crate::clusters::{all_guests, guest};
use crate::harness::{as_new, wait_for};

#[tokio::test]
async fn a_cluster_that_is_there_already_is_refused_by_name() -> Result<()> {
    let yard = Yard::homelab().await?;
    let cluster = &yard.lab.clusters()[0];
    let id = yard.add(cluster).await?;
    let mut again = as_new(cluster);
    again["name"] = json!("The same again");
    again["endpoints"] = json!([cluster.endpoints[1]]);
    // Seen from its other node it shows another certificate.
    let probe = json!({ "url": cluster.endpoints[1] });
    let shown = yard.muster.post("/api/v1/proxmox/probe", &probe).await?;
    again["tls"]["fingerprint"] = shown.expect(StatusCode::OK)?["fingerprint"].clone();
    let refused = yard.muster.post(CLUSTERS, &again).await?;
    assert_eq!(
        (refused.status, refused.code()),
        (StatusCode::CONFLICT, "cluster_known")
    );
    let detail = refused.body["detail"].as_str().context("a detail")?;
    assert!(detail.contains(&cluster.title), "{detail}");
    assert!(is_explained("cluster_known"));

    let other = yard.add(&yard.lab.clusters()[1]).await?;
    let elsewhere =
        json!({ "endpoints": [cluster.endpoints[0]], "tls": { "mode": "cluster_ca", "ca_pem": cluster.ca_pem } });
    let path = format!("{CLUSTERS}/{other}");
    let refused = yard.muster.send(Method::PATCH, &path, Some(&elsewhere)).await?;
    assert_ne!(refused.status, StatusCode::OK, "{refused:?}");
    let same = json!({ "endpoints": cluster.endpoints });
    let path = format!("{CLUSTERS}/{id}");
    yard.muster
        .send(Method::PATCH, &path, Some(&same))
        .await?
        .expect(StatusCode::OK)?;
    yard.muster.assert_store_is_clean().await
}

#[tokio::test]
async fn a_renamed_cluster_and_a_node_that_left_it() -> Result<()> {
    let yard = Yard::homelab().await?;
    let id = yard.add(&yard.lab.clusters()[0]).await?;
    yard.lab.ctl("cluster rename --cluster homelab-1 --to attic")?;
    yard.discover(&id, Trigger::Request).await?;
    assert_eq!(yard.cluster(&id).await?["cluster_name"], "attic");

    for vmid in [200, 201, 202, 203, 204, 205, 206, 250] {
        yard.lab
            .ctl(&format!("guest migrate --cluster homelab-1 --vmid {vmid} --to pve1"))?;
    }
    yard.pass(NEWS);
    yard.discover(&id, Trigger::Schedule).await?;
    let before = yard.muster.tree(&id).await?;
    yard.lab.ctl("node stop --cluster homelab-1 --node pve2")?;
    yard.lab.ctl("node remove --cluster homelab-1 --node pve2")?;
    yard.pass(NEWS);
    let summary = yard.discover(&id, Trigger::Request).await?;
    let gone: Vec<_> = summary
        .gone
        .iter()
        .map(|found| (found.kind.as_str(), found.name.as_str()))
        .collect();
    assert_eq!(gone.first(), Some(&("node", "pve2")), "{summary:?}");
    let tree = yard.muster.tree(&id).await?;
    let nextcloud = guest(&tree, 200)?;
    assert_eq!(
        (&nextcloud["node"], &nextcloud["id"]),
        (&json!("pve1"), &guest(&before, 200)?["id"])
    );
    assert_eq!(
        tree["cluster"]["tls"]["fingerprints"].as_object().map(|map| map.len()),
        Some(1)
    );
    assert_eq!(tree["cluster"]["quorate"], true);
    yard.muster.assert_store_is_clean().await
}

#[tokio::test]
async fn a_token_that_is_replaced_while_a_discovery_runs() -> Result<()> {
    let yard = Yard::homelab().await?;
    let cluster = &yard.lab.clusters()[1];
    let id = yard.add(cluster).await?;
    let new = json!({ "token_id": cluster.audit_token_id, "token_secret": cluster.audit_token_secret });
    let path = format!("{CLUSTERS}/{id}/token");
    yard.lab.take_calls("homelab-2")?;
    let (found, answer) = tokio::join!(yard.discover(&id, Trigger::Request), yard.muster.post(&path, &new));
    answer?.expect(StatusCode::OK).context("the new token")?;
    found.context("the discovery under way")?;
    let shown = yard.cluster(&id).await?;
    assert_eq!(
        shown["token_id"], cluster.audit_token_id,
        "the discovery wrote nothing of the old token back"
    );
    yard.lab.ctl("token revoke --cluster homelab-2 --id muster@pve!main")?;
    yard.discover(&id, Trigger::Request).await?;
    assert_eq!(yard.cluster(&id).await?["status"], "active");
    yard.muster.assert_store_is_clean().await
}

#[tokio::test]
async fn a_paused_cluster_is_not_asked_and_goes_on_where_it_was() -> Result<()> {
    let yard = Yard::homelab().await?;
    let id = yard.add(&yard.lab.clusters()[1]).await?;
    let path = format!("{CLUSTERS}/{id}");
    let pause = |paused: bool| json!({ "paused": paused });
    let paused = yard.muster.send(Method::PATCH, &path, Some(&pause(true))).await?;
    paused.expect(StatusCode::OK)?;
    yard.lab.take_calls("homelab-2")?;
    assert_eq!(yard.refused(&id).await?, "cluster_paused");
    assert_eq!(yard.lab.take_calls("homelab-2")?.len(), 0);
    yard.lab.ctl("guest stop --cluster homelab-2 --vmid 300")?;
    yard.pass(NEWS);
    let resumed = yard.muster.send(Method::PATCH, &path, Some(&pause(false))).await?;
    resumed.expect(StatusCode::OK)?;
    yard.discover(&id, Trigger::Schedule).await?;
    assert_eq!(guest(&yard.muster.tree(&id).await?, 300)?["status"], "stopped");
    yard.muster.assert_store_is_clean().await
}

#[tokio::test]
async fn a_cluster_that_is_removed_while_a_job_reads_it() -> Result<()> {
    let yard = Yard::homelab().await?;
    let id = yard.add(&yard.lab.clusters()[1]).await?;
    yard.lab.ctl("fault set --cluster homelab-2 --name slow --arg 400")?;
    let path = format!("{CLUSTERS}/{id}");
    let started = yard.muster.post(&format!("{path}/discover"), &json!({})).await?;
    let job = started.expect(StatusCode::ACCEPTED)?;
    wait_for("the job to run", async || {
        let calls = yard.lab.take_calls("homelab-2")?;
        Ok((!calls.is_empty()).then_some(()))
    })
    .await?;
    yard.muster
        .send(Method::DELETE, &path, None)
        .await?
        .expect(StatusCode::OK)?;
    let ended = yard.muster.ended(&job["job"]).await?;
    assert_eq!(ended["state"], "failed", "{ended}");
    let targets = yard.muster.targets(&job["job"]).await?;
    let reasons: Vec<&Value> = targets.values().map(|target| &target["reason"]["code"]).collect();
    assert_eq!(reasons, [&json!("not_found")], "{targets:?}");
    assert_eq!(
        all_guests(&yard.muster.get("/api/v1/guests").await?),
        Vec::<&Value>::new()
    );
    assert_eq!(
        yard.muster.send(Method::GET, &path, None).await?.status,
        StatusCode::NOT_FOUND
    );
    yard.muster.assert_store_is_clean().await
}
