//! Agents brought into guests through Proxmox VE, wholly by one way each.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result};
use proxmox_sim::{GuestSpec, Os, Scenario, Shell};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::clusters::guest;
use crate::harness::{Lab, Muster, can_run_agents, homelab_with_exec, simulate, wait_for};

/// Asks for an installation in guests of a cluster.
async fn ask(muster: &Muster, cluster: &str, body: &Value) -> Result<Value> {
    let path = format!("/api/v1/proxmox/clusters/{cluster}/bulk-install");
    muster.post(&path, body).await?.expect(StatusCode::ACCEPTED)
}

/// The same, to its end. Answers the job and its targets.
async fn install(muster: &Muster, cluster: &str, body: &Value) -> Result<(Value, BTreeMap<String, Value>)> {
    let asked = ask(muster, cluster, body).await?;
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

/// Whether anything is left of an installation beside the agent.
fn is_tidy(sim: &Lab, cluster: &str, vmid: u32) -> Result<bool> {
    Ok(inside(sim, cluster, vmid, "ls -d /tmp/.muster* /tmp/.pve* 2>/dev/null; true")?.is_empty())
}

fn came_by(targets: &BTreeMap<String, Value>, name: &str, transport: &str) {
    let target = &targets[name];
    assert_eq!(
        (&target["state"], &target["transport"], &target["step"]),
        (&json!("succeeded"), &json!(transport), &json!("clean_up")),
        "{target}"
    );
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
    came_by(&targets, "debian-pihole", "exec_endpoint");
    came_by(&targets, "alpine-proxy", "exec_endpoint");
    let isolated = &targets["iot-gateway"];
    assert_eq!(isolated["reason"]["code"], "cannot_reach", "{isolated}");
    assert_eq!(targets["ubuntu-dev"]["reason"]["code"], "stopped");
    for vmid in [101, 103, 206] {
        assert!(is_tidy(&sim, "homelab-1", vmid)?, "{vmid} is left as it was found");
    }
    let agent = inside(&sim, "homelab-1", 206, "ls /usr/local/lib/muster 2>/dev/null; true")?;
    assert_eq!(agent, "", "nothing was put where it could not work");
    assert_eq!(job["steps"][0], "preflight");
    let after = muster.tree(&cluster).await?;
    assert_eq!(guest(&after, 101)?["agent"]["state"], "online");
    Ok(())
}

/// A node with every shell behind a console, two containers that show a login, and a VM with a guest agent.
fn consoles() -> Result<Lab> {
    let lxc = |vmid, name, os| GuestSpec::lxc(vmid, name, "pve1", os);
    simulate(
        Scenario::one_node(vec![
            lxc(100, "bash", Os::Debian).shell_console(),
            lxc(101, "dash", Os::Debian).shell_console().shell(Shell::Dash),
            lxc(102, "ash", Os::Alpine).shell_console(),
            lxc(103, "login", Os::Debian),
            lxc(104, "alpine-login", Os::Alpine),
            GuestSpec::qemu(110, "vm", "pve1", Os::Debian).guest_agent(),
        ]),
        false,
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn containers_get_their_agents_by_the_console_and_a_vm_by_its_guest_agent() -> Result<()> {
    if !can_run_agents("containers_get_their_agents_by_the_console_and_a_vm_by_its_guest_agent") {
        return Ok(());
    }
    let (sim, muster) = (consoles()?, Muster::start().await?);
    let cluster = muster.add(&sim.clusters()[0]).await?;
    muster.set_agent_url(&muster.url).await?;
    let preview = muster
        .post(
            &format!("/api/v1/proxmox/clusters/{cluster}/bulk-install"),
            &json!({ "dry_run": true, "consoles": "restart" }),
        )
        .await?
        .expect(StatusCode::OK)?;
    let opened = preview["targets"].as_array().context("targets")?.iter();
    let opened: Vec<_> = opened.filter(|one| one["install"]["opens_console"] == true).collect();
    assert_eq!(opened.len(), 2, "{preview:#}");

    let asked = ask(&muster, &cluster, &json!({ "consoles": "restart" })).await?;
    let ended = wait_for("the end of the installation", async || {
        // Restarts take the simulator's time.
        sim.pass(Duration::from_secs(1));
        let path = format!("/api/v1/jobs/{}", asked["job"]["id"].as_str().context("an id")?);
        let job = muster.get(&path).await?;
        Ok(job["finished_at"].is_string().then_some(job))
    });
    let job = ended.await?;
    let targets = muster.targets(&job).await?;
    assert_eq!(job["state"], "succeeded", "{targets:#?}");
    for name in ["bash", "dash", "ash", "login", "alpine-login"] {
        came_by(&targets, name, "token_console");
    }
    came_by(&targets, "vm", "qemu_agent");
    for vmid in [100, 101, 102, 103, 104, 110] {
        assert!(is_tidy(&sim, "lab", vmid)?, "{vmid} is left as it was found");
    }
    the_consoles_are_put_back(&muster, &cluster).await
}

/// Those that showed a login will show one again after the next restart; the others were never touched.
async fn the_consoles_are_put_back(muster: &Muster, cluster: &str) -> Result<()> {
    let put_back = wait_for("the consoles to be put back", async || {
        let audit = muster.get("/api/v1/audit?limit=200").await?;
        let entries = audit["items"].as_array().context("entries")?;
        let count = entries
            .iter()
            .filter(|entry| entry["action"] == "guest.put_console_back")
            .count();
        Ok((count == 2).then_some(()))
    });
    put_back.await?;
    let tree = muster.tree(cluster).await?;
    let page = muster
        .get(&format!(
            "/api/v1/guests/{}",
            guest(&tree, 103)?["id"].as_str().context("an id")?
        ))
        .await?;
    assert_eq!(page["cmode"], "shell", "in force until the next restart");
    assert_eq!(page["reach"]["best"], "agent");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_that_is_only_set_waits_for_its_restart() -> Result<()> {
    if !can_run_agents("a_console_that_is_only_set_waits_for_its_restart") {
        return Ok(());
    }
    let (sim, muster) = (consoles()?, Muster::start().await?);
    let cluster = muster.add(&sim.clusters()[0]).await?;
    muster.set_agent_url(&muster.url).await?;
    let tree = muster.tree(&cluster).await?;
    let id = &guest(&tree, 103)?["id"];
    let (_, targets) = install(&muster, &cluster, &json!({ "guests": [id], "consoles": "set" })).await?;
    assert_eq!(targets["login"]["reason"]["code"], "restart_awaited", "{targets:#?}");
    let page = muster
        .get(&format!("/api/v1/guests/{}", id.as_str().context("an id")?))
        .await?;
    let ways = page["reach"]["ways"].as_array().context("ways")?;
    let console = ways.iter().find(|way| way["transport"] == "token_console");
    let reason = console.context("the way")?["reason"].as_str().context("a reason")?;
    assert!(reason.contains("next restart"), "{reason}");
    Ok(())
}
