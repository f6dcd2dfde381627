//! Agents brought into guests through Proxmox VE, wholly by one way each.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::clusters::guest;
use crate::harness::{Lab, Muster, can_run_agents, homelab_with_exec};

/// Installs in guests of a cluster, and waits for the end. Answers the job and its targets.
async fn install(muster: &Muster, cluster: &str, body: &Value) -> Result<(Value, BTreeMap<String, Value>)> {
    let path = format!("/api/v1/proxmox/clusters/{cluster}/bulk-install");
    let asked = muster.post(&path, body).await?.expect(StatusCode::ACCEPTED)?;
    let job = muster.ended(&asked["job"]).await?;
    let targets = muster.targets(&job).await?;
    Ok((job, targets))
}

/// Runs a line in a guest, past Muster.
fn inside(sim: &Lab, cluster: &str, vmid: u32, line: &str) -> Result<String> {
    let words = format!("guest exec --cluster {cluster} --vmid {vmid} -- sh -c '{line}'");
    let ran = tokio::task::block_in_place(|| sim.ctl(&words))?;
    Ok(ran["stdout"].as_str().context("its output")?.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_gets_its_agents_by_the_exec_call() -> Result<()> {
    if !can_run_agents("a_cluster_gets_its_agents_by_the_exec_call") {
        return Ok(());
    }
    let (sim, muster) = (homelab_with_exec()?, Muster::start().await?);
    let cluster = muster.add(&sim.clusters()[0]).await?;
    muster.set_agent_url(&muster.url).await?;
    let tree = muster.tree(&cluster).await?;
    // Debian, Alpine, one that cannot reach Muster, one that is stopped.
    let ids: Vec<&Value> = [101, 103, 206, 102]
        .iter()
        .map(|vmid| Ok(&guest(&tree, *vmid)?["id"]))
        .collect::<Result<_>>()?;

    let (job, targets) = install(&muster, &cluster, &json!({ "guests": ids })).await?;
    assert_eq!(job["state"], "partly", "{targets:#?}");
    for name in ["debian-pihole", "alpine-proxy"] {
        let target = &targets[name];
        assert_eq!(
            (&target["state"], &target["transport"], &target["step"]),
            (&json!("succeeded"), &json!("exec_endpoint"), &json!("clean_up")),
            "{target}"
        );
    }
    let isolated = &targets["iot-gateway"];
    assert_eq!(isolated["reason"]["code"], "cannot_reach", "{isolated}");
    assert_eq!(targets["ubuntu-dev"]["reason"]["code"], "stopped");
    for vmid in [101, 103, 206] {
        let left = inside(
            &sim,
            "homelab-1",
            vmid,
            "ls -d /tmp/.muster* /tmp/.pve* 2>/dev/null; true",
        )?;
        assert_eq!(left, "", "{vmid} is left as it was found");
    }
    let agent = inside(&sim, "homelab-1", 206, "ls /usr/local/lib/muster 2>/dev/null; true")?;
    assert_eq!(agent, "", "nothing was put where it could not work");

    let steps: Vec<&str> = job["steps"]
        .as_array()
        .context("steps")?
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(steps.first(), Some(&"preflight"));
    let after = muster.tree(&cluster).await?;
    assert_eq!(guest(&after, 101)?["agent"]["state"], "online");
    Ok(())
}
