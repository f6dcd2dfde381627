//! What becomes of the tree when guests come, go, move, and when nodes fall silent.

use std::time::Duration;

use anyhow::{Context as _, Result};
use muster::app::discovery::{Summary, Trigger, run};
use muster_domain::ClusterId;
use reqwest::Method;
use serde_json::{Value, json};

use crate::clusters::guest;
use crate::harness::{Muster, homelab, wait_for};

/// How long the nodes of a cluster take to hear of each other's guests.
const NEWS: Duration = Duration::from_secs(11);

async fn discover(muster: &Muster, id: &str) -> Result<Summary> {
    let id: ClusterId = id.parse()?;
    Ok(run(&muster.app, id, Trigger::Request).await?)
}

#[tokio::test]
async fn guests_come_move_and_go() -> Result<()> {
    let (sim, muster) = (homelab()?, Muster::start().await?);
    let id = muster.add(&sim.clusters()[0]).await?;
    let before = guest(&muster.tree(&id).await?, 101)?.clone();

    sim.ctl("guest create --cluster homelab-1 --node pve1 --vmid 199 --name newcomer --os alpine")?;
    sim.ctl("guest migrate --cluster homelab-1 --vmid 101 --to pve2")?;
    sim.ctl("guest stop --cluster homelab-1 --vmid 103")?;
    sim.pass(NEWS);
    let summary = discover(&muster, &id).await?;
    assert_eq!(
        summary.appeared.iter().map(|found| found.vmid).collect::<Vec<_>>(),
        [Some(199)]
    );
    let moved = summary
        .changed
        .iter()
        .find(|found| found.vmid == Some(101))
        .context("the move")?;
    assert!(moved.facts.contains(&"node"), "{moved:?}");

    let tree = muster.tree(&id).await?;
    let after = guest(&tree, 101)?;
    assert_eq!((&after["id"], &after["node"]), (&before["id"], &json!("pve2")));
    assert_eq!(guest(&tree, 199)?["system"]["id"], "alpine", "{summary:?}");
    assert_eq!(guest(&tree, 103)?["status"], "stopped");

    sim.ctl("guest stop --cluster homelab-1 --vmid 199")?;
    sim.ctl("guest delete --cluster homelab-1 --vmid 199")?;
    let summary = discover(&muster, &id).await?;
    assert_eq!(
        summary.gone.iter().map(|found| found.vmid).collect::<Vec<_>>(),
        [Some(199)]
    );
    let newcomer = guest(&tree, 199)?["id"].as_str().context("an id")?;
    let gone = muster.get(&format!("/api/v1/guests/{newcomer}")).await?;
    assert!(gone["gone_at"].is_string(), "{gone}");
    assert!(guest(&muster.tree(&id).await?, 199).is_err());
    muster.assert_store_is_clean().await
}

#[tokio::test]
async fn the_schedule_finds_what_changed() -> Result<()> {
    let (sim, muster) = (homelab()?, Muster::start().await?);
    let cluster = &sim.clusters()[1];
    let id = muster.add(cluster).await?;
    let path = format!("/api/v1/proxmox/clusters/{id}");
    muster
        .send(Method::PATCH, &path, Some(&json!({ "state_seconds": 2 })))
        .await?
        .expect(reqwest::StatusCode::OK)?;
    sim.ctl("guest create --cluster homelab-2 --node pve3 --vmid 399 --name newcomer --os debian")?;
    sim.pass(NEWS);
    let found = wait_for("the new guest", || async {
        let tree = muster.tree(&id).await?;
        let found = guest(&tree, 399).ok().cloned();
        Ok(found.filter(|guest| guest["system"].is_object()))
    })
    .await?;
    assert_eq!(
        (&found["name"], &found["status"]),
        (&json!("newcomer"), &json!("running"))
    );
    let log = muster.get(&format!("{path}/discoveries")).await?;
    let newest = &log["items"][0];
    assert_eq!(newest["trigger"], "schedule", "{newest}");
    muster.assert_store_is_clean().await
}

#[tokio::test]
async fn the_guests_of_a_dead_node_keep_their_values_and_are_stale() -> Result<()> {
    let (sim, muster) = (homelab()?, Muster::start().await?);
    let id = muster.add(&sim.clusters()[0]).await?;
    sim.ctl("node stop --cluster homelab-1 --node pve2")?;
    let summary = discover(&muster, &id).await?;
    let tree = muster.tree(&id).await?;
    let node = &tree["nodes"][1];
    assert_eq!(
        (&node["name"], &node["status"]),
        (&json!("pve2"), &json!("offline")),
        "{summary:?}"
    );
    let nextcloud = guest(&tree, 200)?;
    assert_eq!(
        (&nextcloud["status"], &nextcloud["tick"]),
        (&json!("running"), &json!("unknown"))
    );
    assert!(nextcloud["stale_since"].is_string());
    assert_eq!(nextcloud["address"], "192.168.1.200", "what was known is kept");
    assert_eq!(nextcloud["reach"]["best"], Value::Null);
    assert!(
        nextcloud["reach"]["needs_step"]
            .as_str()
            .is_some_and(|text| text.contains("pve2 does not answer"))
    );
    assert_eq!(guest(&tree, 101)?["stale_since"], Value::Null);

    sim.ctl("node start --cluster homelab-1 --node pve2")?;
    discover(&muster, &id).await?;
    let tree = muster.tree(&id).await?;
    assert_eq!(guest(&tree, 201)?["stale_since"], Value::Null);
    muster.assert_store_is_clean().await
}

#[tokio::test]
async fn a_renewed_certificate_is_pinned_through_a_node_that_is_still_trusted() -> Result<()> {
    let (sim, muster) = (homelab()?, Muster::start().await?);
    let cluster = &sim.clusters()[0];
    let id = muster.add(cluster).await?;
    sim.ctl("cert renew --cluster homelab-1 --node pve1")?;
    discover(&muster, &id).await?;
    let after = muster.get(&format!("/api/v1/proxmox/clusters/{id}")).await?;
    assert_eq!(after["status"], "active", "{after}");
    let renewed = after["tls"]["fingerprints"]["pve1"]
        .as_str()
        .context("a fingerprint")?
        .to_owned();
    assert_ne!(renewed, cluster.fingerprint);
    assert_eq!(after["tls"]["accepted"], renewed);

    // Now pve1 alone is enough again.
    sim.ctl("fault set --cluster homelab-1 --node pve2 --name refuse")?;
    discover(&muster, &id).await?;
    muster.assert_store_is_clean().await
}

#[tokio::test]
async fn a_changed_certificate_that_nobody_vouches_for_stops_everything_and_asks() -> Result<()> {
    let (sim, muster) = (homelab()?, Muster::start().await?);
    let cluster = &sim.clusters()[1];
    let id = muster.add(cluster).await?;
    // An open connection goes on being trusted, so all are cut first.
    sim.ctl("fault set --cluster homelab-2 --name refuse")?;
    wait_for("the cut", async || {
        Ok(discover(&muster, &id).await.is_err().then_some(()))
    })
    .await?;
    sim.ctl("cert renew --cluster homelab-2 --node pve3")?;
    sim.ctl("fault clear --cluster homelab-2")?;
    let refused = discover(&muster, &id).await;
    assert!(refused.is_err(), "{refused:?}");
    let path = format!("/api/v1/proxmox/clusters/{id}");
    let after = muster.get(&path).await?;
    assert_eq!(
        (&after["status"], &after["error"]["code"]),
        (&json!("error"), &json!("certificate_changed"))
    );
    assert_eq!(after["next_step"]["action"], "edit");
    let detail = after["error"]["detail"].as_str().context("a detail")?;
    assert!(detail.contains(&cluster.fingerprint), "{detail}");

    let shown = muster
        .post("/api/v1/proxmox/probe", &json!({ "url": cluster.endpoints[0] }))
        .await?;
    let shown = shown.expect(reqwest::StatusCode::OK)?;
    assert!(
        detail.contains(shown["fingerprint"].as_str().context("a fingerprint")?),
        "{detail}"
    );
    let accept = json!({ "tls": { "mode": "pinned", "fingerprint": shown["fingerprint"] } });
    muster
        .send(Method::PATCH, &path, Some(&accept))
        .await?
        .expect(reqwest::StatusCode::OK)?;
    discover(&muster, &id).await?;
    assert_eq!(muster.get(&path).await?["status"], "active");
    muster.assert_store_is_clean().await
}

#[tokio::test]
async fn what_cannot_be_read_is_told_and_the_rest_is_kept() -> Result<()> {
    let (sim, muster) = (homelab()?, Muster::start().await?);
    let id = muster.add(&sim.clusters()[1]).await?;
    let path = format!("/api/v1/proxmox/clusters/{id}");
    sim.ctl("fault set --cluster homelab-2 --name garbage")?;
    for _ in 0..3 {
        assert!(discover(&muster, &id).await.is_err());
    }
    let after = muster.get(&path).await?;
    assert_eq!(
        (&after["status"], &after["error"]["code"]),
        (&json!("error"), &json!("pve_answer_unreadable"))
    );
    let tree = muster.tree(&id).await?;
    let monitoring = guest(&tree, 300)?;
    assert!(
        monitoring["stale_since"].is_string(),
        "after three tries in vain what is known is old"
    );
    assert_eq!(monitoring["address"], "192.168.2.30");

    sim.ctl("fault clear --cluster homelab-2")?;
    discover(&muster, &id).await?;
    let after = muster.get(&path).await?;
    assert_eq!((&after["status"], &after["error"]), (&json!("active"), &Value::Null));
    assert_eq!(guest(&muster.tree(&id).await?, 300)?["stale_since"], Value::Null);
    muster.assert_store_is_clean().await
}

#[tokio::test]
async fn the_list_of_guests_is_filtered_and_comes_in_pages() -> Result<()> {
    let (sim, muster) = (homelab()?, Muster::start().await?);
    for cluster in &sim.clusters()[..2] {
        muster.add(cluster).await?;
    }
    let all = muster.get("/api/v1/guests?total=true&limit=1000").await?;
    let count = all["items"].as_array().map(Vec::len).context("items")?;
    assert_eq!(all["total"], count);
    let mut names = Vec::new();
    let mut path = "/api/v1/guests?limit=5".to_owned();
    loop {
        let page = muster.get(&path).await?;
        names.extend(
            page["items"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|guest| guest["name"].clone()),
        );
        match page["next"].as_str() {
            Some(next) => path = format!("/api/v1/guests?limit=5&cursor={next}"),
            None => break,
        }
    }
    let expected: Vec<Value> = all["items"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|guest| guest["name"].clone())
        .collect();
    assert_eq!(names, expected);
    let dns = muster.get("/api/v1/guests?tag=dns").await?;
    assert_eq!(dns["items"][0]["name"], "debian-pihole");
    assert_eq!(muster.get("/api/v1/guests?updates=security").await?["items"], json!([]));
    let stopped = muster.get("/api/v1/guests?status=stopped&kind=lxc&node=pve1").await?;
    assert_eq!(stopped["items"][0]["name"], "ubuntu-dev");
    let one = &dns["items"][0];
    assert_eq!(one["reach"].get("ways"), None);
    let page = muster
        .get(&format!("/api/v1/guests/{}", one["id"].as_str().context("an id")?))
        .await?;
    assert_eq!(page["reach"]["ways"].as_array().map(Vec::len), Some(5));
    muster.assert_store_is_clean().await
}

#[tokio::test]
async fn changes_arrive_as_events_with_the_thing_in_them() -> Result<()> {
    let (sim, muster) = (homelab()?, Muster::start().await?);
    let id = muster.add(&sim.clusters()[0]).await?;
    let running = muster.get(&format!("/api/v1/proxmox/clusters/{id}")).await?["rollup"]["running"]
        .as_u64()
        .context("a number")?;
    let mut events = muster.events().await?;
    sim.ctl("guest stop --cluster homelab-1 --vmid 103")?;
    sim.pass(NEWS);
    discover(&muster, &id).await?;
    let guest = events
        .next("the guest", |event| {
            (event["kind"] == "guest.changed" && event["guest"]["vmid"] == 103).then(|| event["guest"].clone())
        })
        .await?;
    assert_eq!((&guest["status"], &guest["tick"]), (&json!("stopped"), &json!("off")));
    let cluster = events
        .next("the cluster", |event| {
            (event["kind"] == "cluster.changed").then(|| event["cluster"].clone())
        })
        .await?;
    assert_eq!(
        (&cluster["id"], &cluster["rollup"]["running"]),
        (&json!(id), &json!(running - 1))
    );
    let log = events
        .next("the end", |event| {
            (event["kind"] == "discovery.finished").then(|| event.clone())
        })
        .await?;
    assert_eq!((&log["cluster"], &log["changed"]), (&json!(id), &json!(1)));
    muster.assert_store_is_clean().await
}
