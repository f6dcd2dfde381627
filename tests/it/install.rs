//! From a pasted line to counted updates: the real agent in the simulator's guests.

use anyhow::{Context as _, Result};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::clusters::guest;
use crate::harness::{Events, Lab, Muster, can_run_agents, homelab, wait_for};

fn decision<'a>(bulk: &'a Value, name: &str) -> Result<&'a Value> {
    let targets = bulk["targets"].as_array().context("targets")?;
    let found = targets.iter().find(|target| target["guest"]["name"] == name);
    found.with_context(|| format!("{name} is in the answer"))
}

#[tokio::test(flavor = "multi_thread")]
async fn from_a_pasted_line_to_counted_updates() -> Result<()> {
    if !can_run_agents("from_a_pasted_line_to_counted_updates") {
        return Ok(());
    }
    install_and_scan(&homelab()?, &Muster::start().await?).await
}

#[tokio::test(flavor = "multi_thread")]
async fn from_a_pasted_line_to_counted_updates_on_postgres() -> Result<()> {
    if !can_run_agents("from_a_pasted_line_to_counted_updates_on_postgres") {
        return Ok(());
    }
    install_and_scan(&homelab()?, &Muster::start_on_postgres().await?).await
}

async fn install_and_scan(sim: &Lab, muster: &Muster) -> Result<()> {
    let cluster = muster.add(&sim.clusters()[0]).await?;
    let tree = muster.tree(&cluster).await?;
    let ids: Vec<&Value> = [101, 102, 203]
        .iter()
        .map(|vmid| Ok(&guest(&tree, *vmid)?["id"]))
        .collect::<Result<_>>()?;
    let install = format!("/api/v1/proxmox/clusters/{cluster}/bulk-install");

    muster.set_agent_url(&muster.url).await?;
    let preview = muster
        .post(&install, &json!({ "guests": ids, "dry_run": true }))
        .await?;
    let preview = preview.expect(StatusCode::OK)?;
    assert_eq!((&preview["job"], &preview["by_hand"]), (&Value::Null, &Value::Null));
    let mut events = muster.events().await?;
    let done = muster
        .post(&install, &json!({ "guests": ids }))
        .await?
        .expect(StatusCode::ACCEPTED)?;
    assert_eq!(done["targets"], preview["targets"], "the preview told the truth");
    assert_eq!(decision(&done, "debian-pihole")?["decision"], "accepted");
    assert_eq!(decision(&done, "ubuntu-dev")?["reason"]["code"], "stopped");
    let locked = guest(&tree, 203)?["name"].as_str().context("a name")?;
    assert_eq!(decision(&done, locked)?["reason"]["code"], "locked");
    assert_eq!(
        done["job"]["progress"],
        json!({ "total": 3, "done": 2, "failed": 0, "skipped": 2 })
    );

    let waiting = wait_for("the wait for the line", async || {
        let target = muster.targets(&done["job"]).await?.remove("debian-pihole");
        Ok(target.filter(|target| target["state"] == "waiting"))
    });
    assert_eq!(waiting.await?["reason"]["code"], "paste_line");
    work_shows(muster, &cluster, &mut events, &done["job"]["id"]).await?;

    let line = done["by_hand"]["nodes"][0]["line"]
        .as_str()
        .context("a line for the node")?;
    let (exit, said) = sim.on_node("homelab-1", "pve1", line)?;
    assert_eq!(exit, 0, "{said}");
    let job = muster.ended(&done["job"]).await?;
    assert_eq!(job["state"], "succeeded", "{job}");
    assert_eq!(muster.targets(&job).await?["debian-pihole"]["state"], "succeeded");
    let after = muster.tree(&cluster).await?;
    assert_eq!(guest(&after, 101)?["work"], Value::Null, "the job is over");

    scan_finds_what_is_published(sim, muster, &cluster).await
}

/// Without the pin the agent would refuse this certificate, since no authority that it knows vouches for it.
#[tokio::test(flavor = "multi_thread")]
async fn agents_accept_the_certificate_that_muster_made_itself() -> Result<()> {
    if !can_run_agents("agents_accept_the_certificate_that_muster_made_itself") {
        return Ok(());
    }
    let (sim, muster) = (homelab()?, Muster::start_with_tls().await?);
    let cluster = muster.add(&sim.clusters()[0]).await?;
    let tree = muster.tree(&cluster).await?;
    muster.set_agent_url(&muster.url).await?;
    let install = format!("/api/v1/proxmox/clusters/{cluster}/bulk-install");
    let asked = json!({ "guests": [guest(&tree, 101)?["id"]] });
    let done = muster.post(&install, &asked).await?.expect(StatusCode::ACCEPTED)?;
    let line = done["by_hand"]["nodes"][0]["line"].as_str().context("a line")?;
    let (exit, said) = sim.on_node("homelab-1", "pve1", line)?;
    assert_eq!(exit, 0, "{said}");
    let job = muster.ended(&done["job"]).await?;
    assert_eq!(job["state"], "succeeded", "{job}");
    scan_finds_what_is_published(&sim, &muster, &cluster).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_that_goes_is_not_waited_for() -> Result<()> {
    if !can_run_agents("a_guest_that_goes_is_not_waited_for") {
        return Ok(());
    }
    let (sim, muster) = (homelab()?, Muster::start().await?);
    let cluster = muster.add(&sim.clusters()[0]).await?;
    let tree = muster.tree(&cluster).await?;
    muster.set_agent_url(&muster.url).await?;
    let install = format!("/api/v1/proxmox/clusters/{cluster}/bulk-install");
    let asked = json!({ "guests": [guest(&tree, 101)?["id"]] });
    let done = muster.post(&install, &asked).await?.expect(StatusCode::ACCEPTED)?;
    let waiting = wait_for("the wait for the line", async || {
        let target = muster.targets(&done["job"]).await?.remove("debian-pihole");
        Ok(target.filter(|target| target["state"] == "waiting"))
    });
    waiting.await?;

    sim.ctl("guest stop --cluster homelab-1 --vmid 101")?;
    sim.ctl("guest delete --cluster homelab-1 --vmid 101")?;
    muster
        .post(&format!("/api/v1/proxmox/clusters/{cluster}/discover"), &Value::Null)
        .await?
        .expect(StatusCode::ACCEPTED)?;
    let job = muster.ended(&done["job"]).await?;
    assert_eq!(job["state"], "failed", "{job}");
    assert_eq!(muster.targets(&job).await?["debian-pihole"]["reason"]["code"], "gone");
    muster.assert_store_is_clean().await
}

/// What a job does in a guest stands in the guest's row and in the counts above it, and is told.
async fn work_shows(muster: &Muster, cluster: &str, events: &mut Events, job: &Value) -> Result<()> {
    let above = |kind: &'static str, field: &'static str| {
        move |event: &Value| {
            let waiting = &event[field]["rollup"]["marks"]["waiting"];
            (event["kind"] == kind && *waiting == 1).then_some(())
        }
    };
    events.next("the node's counts", above("node.changed", "node")).await?;
    let told = events.next("the guest with its work", |event| {
        let work = &event["guest"]["work"];
        let waits = event["kind"] == "guest.changed" && work["job"] == *job && work["state"] == "waiting";
        waits.then(|| event["guest"].clone())
    });
    let told = told.await?;
    assert_eq!(
        (&told["work"]["kind"], &told["work"]["state"], &told["tick"]),
        (&json!("install"), &json!("waiting"), &json!("waiting"))
    );
    events
        .next("the cluster's counts", above("cluster.changed", "cluster"))
        .await?;
    let tree = muster.tree(cluster).await?;
    assert_eq!(guest(&tree, 101)?["work"], told["work"]);
    assert_eq!(tree["cluster"]["rollup"]["marks"]["waiting"], 1);
    assert_eq!(tree["cluster"]["rollup"]["updates_total"], Value::Null);
    Ok(())
}

async fn scan_finds_what_is_published(sim: &Lab, muster: &Muster, cluster: &str) -> Result<()> {
    let tree = muster.tree(cluster).await?;
    let pihole = guest(&tree, 101)?;
    assert_eq!(
        (&pihole["agent"]["state"], &pihole["reach"]["best"]),
        (&json!("online"), &json!("agent"))
    );
    let id = pihole["id"].as_str().context("an id")?;
    let before = scan(muster, id).await?;
    let counted = muster.tree(cluster).await?["cluster"]["rollup"].clone();
    assert_eq!(
        counted["updates_total"], before["updates"]["total"],
        "the others are not counted as 0"
    );
    assert!(counted["unknown"].as_u64() > Some(0), "{counted}");

    sim.ctl("package publish --cluster homelab-1 --vmid 101 --name tzdata --version 9999.1 --security")?;
    let after = scan(muster, id).await?;
    let count = |row: &Value, what: &str| row["updates"][what].as_i64();
    assert_eq!(after["updates"]["state"], "fresh", "{}", after["updates"]);
    assert_eq!(count(&after, "total"), count(&before, "total").map(|total| total + 1));
    assert_eq!(
        count(&after, "security"),
        count(&before, "security").map(|total| total + 1)
    );
    let list = muster.get(&format!("/api/v1/guests/{id}/updates")).await?;
    let found = list["items"]
        .as_array()
        .context("updates")?
        .iter()
        .find(|update| update["name"] == "tzdata");
    assert_eq!(found.context("the published one")?["to"], "9999.1");

    let again = scan(muster, id).await?;
    assert_eq!(
        again["updates"]["total"], after["updates"]["total"],
        "a known digest keeps what is known"
    );
    muster.assert_store_is_clean().await
}

/// Scans one guest and answers its row.
async fn scan(muster: &Muster, id: &str) -> Result<Value> {
    let asked = muster
        .post("/api/v1/guests/bulk-scan", &json!({ "guests": [id] }))
        .await?;
    let job = muster.ended(&asked.expect(StatusCode::ACCEPTED)?["job"]).await?;
    assert_eq!(job["state"], "succeeded", "{:?}", muster.targets(&job).await?);
    muster.get(&format!("/api/v1/guests/{id}")).await
}
