//! Adding, testing, changing and removing clusters, on good days and bad ones.

use anyhow::{Context as _, Result};
use muster_domain::access::Role;
use proxmox_sim::ClusterHandle;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{Muster, as_new, homelab, token, wait_for};

const CLUSTERS: &str = "/api/v1/proxmox/clusters";

#[tokio::test]
async fn from_token_to_tree() -> Result<()> {
    let (sim, muster) = (homelab()?, Muster::start().await?);
    from_token_to_tree_on(&sim.clusters()[0], &muster).await
}

#[tokio::test]
async fn from_token_to_tree_on_postgres() -> Result<()> {
    let (sim, muster) = (homelab()?, Muster::start_on_postgres().await?);
    from_token_to_tree_on(&sim.clusters()[0], &muster).await
}

async fn from_token_to_tree_on(cluster: &ClusterHandle, muster: &Muster) -> Result<()> {
    let probe = muster
        .post("/api/v1/proxmox/probe", &json!({ "url": cluster.endpoints[0] }))
        .await?;
    let probe = probe.expect(StatusCode::OK)?;
    assert_eq!(probe["fingerprint"], cluster.fingerprint);
    assert_eq!(probe["trusted"], false);

    let test = muster.post("/api/v1/proxmox/clusters/test", &as_new(cluster)).await?;
    let test = test.expect(StatusCode::OK)?;
    assert_eq!(test["found"]["nodes"], 2);
    assert_eq!(test["cluster_name"], "homelab-1");
    let discover = feature(&test, "discover")?;
    assert_eq!((&discover["ok"], &discover["missing"]), (&json!(true), &json!([])));

    let id = muster.add(cluster).await?;
    let tree = muster.tree(&id).await?;
    assert_eq!(tree["cluster"]["status"], "active", "{}", tree["cluster"]);
    assert_eq!(
        tree["cluster"]["tls"]["fingerprints"].as_object().map(|map| map.len()),
        Some(2)
    );
    assert_eq!(names(&tree["nodes"]), ["pve1", "pve2"]);
    let pihole = guest(&tree, 101)?;
    assert_eq!(pihole["name"], "debian-pihole");
    assert_eq!(pihole["status"], "running");
    assert_eq!(pihole["address"], "192.168.1.101");
    assert_eq!(pihole["system"]["id"], "debian");
    assert_eq!(pihole["tags"], json!(["dns"]));
    assert_eq!(pihole["reach"]["best"], "by_hand");
    assert_eq!(pihole["updates"]["total"], Value::Null, "nothing was scanned");
    assert_eq!(guest(&tree, 102)?["status"], "stopped");
    assert_eq!(guest(&tree, 102)?["tick"], "off");
    assert_eq!(guest(&tree, 102)?["backup"], "none");
    assert_eq!(guest(&tree, 200)?["has_mounts"], true);
    assert_eq!(guest(&tree, 203)?["lock"], "backup");
    assert_eq!(
        guest(&tree, 150)?["address"],
        "192.168.1.150",
        "its guest agent says so"
    );
    let cluster_view = &tree["cluster"];
    assert_eq!(cluster_view["next_step"]["action"], "bulk_install");
    let rollup = &cluster_view["rollup"];
    assert_eq!(rollup["guests"], all_guests(&tree).len());
    assert_eq!(rollup["updates_total"], Value::Null, "nothing was scanned: no zero");
    assert_eq!(tree["nodes"][0]["rollup"]["security_total"], Value::Null);
    muster.assert_store_is_clean().await
}

#[tokio::test]
async fn a_wrong_secret_is_refused_and_says_what_to_check() -> Result<()> {
    let (sim, muster) = (homelab()?, Muster::start().await?);
    let mut new = as_new(&sim.clusters()[0]);
    new["token_secret"] = json!("00000000-0000-0000-0000-000000000000");
    for path in [CLUSTERS, "/api/v1/proxmox/clusters/test"] {
        let answer = muster.post(path, &new).await?;
        assert_eq!(
            (answer.status, answer.code()),
            (StatusCode::BAD_GATEWAY, "token_refused"),
            "{answer:?}"
        );
    }
    assert_eq!(muster.get(CLUSTERS).await?["items"], json!([]));
    muster.assert_store_is_clean().await
}

#[tokio::test]
async fn the_secret_is_in_no_answer_and_a_viewer_may_not_add() -> Result<()> {
    let (sim, muster) = (homelab()?, Muster::start().await?);
    let cluster = &sim.clusters()[0];
    let id = muster.add(cluster).await?;
    for path in [
        CLUSTERS.to_owned(),
        format!("{CLUSTERS}/{id}"),
        format!("{CLUSTERS}/{id}/hierarchy"),
        "/api/v1/audit".to_owned(),
    ] {
        let text = muster.get(&path).await?.to_string();
        assert!(!text.contains(&cluster.token_secret), "{path}");
    }
    let viewer = token(&muster.app, Role::Viewer).await?;
    let refused = muster
        .send_as(&viewer, Method::POST, CLUSTERS, Some(&as_new(cluster)))
        .await?;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let seen = muster
        .send_as(&viewer, Method::GET, &format!("{CLUSTERS}/{id}"), None)
        .await?
        .expect(StatusCode::OK)?;
    let remove = action(&seen, "remove")?;
    assert_eq!(remove["allowed"], false);
    assert_eq!(remove["reason"], "This needs the role admin: an admin can give it.");
    muster.assert_store_is_clean().await
}

#[tokio::test]
async fn a_certificate_that_was_not_accepted_is_refused_with_both_fingerprints() -> Result<()> {
    let (sim, muster) = (homelab()?, Muster::start().await?);
    let cluster = &sim.clusters()[0];
    let mut new = as_new(cluster);
    let other = ["AB"; 32].join(":");
    new["tls"]["fingerprint"] = json!(other);
    let answer = muster.post(CLUSTERS, &new).await?;
    assert_eq!(answer.code(), "certificate_changed", "{answer:?}");
    let detail = answer.body["detail"].as_str().unwrap_or_default();
    assert!(
        detail.contains(&other) && detail.contains(&cluster.fingerprint),
        "{detail}"
    );
    muster.assert_store_is_clean().await
}

#[tokio::test]
async fn the_authority_of_the_cluster_is_as_good_as_a_pin_and_the_systems_is_not() -> Result<()> {
    let (sim, muster) = (homelab()?, Muster::start().await?);
    let cluster = &sim.clusters()[0];
    let mut new = as_new(cluster);
    new["tls"] = json!({ "mode": "cluster_ca", "ca_pem": cluster.ca_pem });
    muster
        .post("/api/v1/proxmox/clusters/test", &new)
        .await?
        .expect(StatusCode::OK)?;
    new["tls"] = json!({ "mode": "system" });
    let refused = muster.post("/api/v1/proxmox/clusters/test", &new).await?;
    assert_eq!(refused.code(), "pve_tls", "{refused:?}");
    muster.assert_store_is_clean().await
}

#[tokio::test]
async fn a_token_that_can_only_look_is_told_what_it_lacks() -> Result<()> {
    let (sim, muster) = (homelab()?, Muster::start().await?);
    let cluster = &sim.clusters()[0];
    let mut new = as_new(cluster);
    new["token_id"] = json!(cluster.audit_token_id);
    new["token_secret"] = json!(cluster.audit_token_secret);
    let test = muster
        .post("/api/v1/proxmox/clusters/test", &new)
        .await?
        .expect(StatusCode::OK)?;
    assert_eq!(feature(&test, "discover")?["ok"], true);
    assert_eq!(
        feature(&test, "node_updates")?["missing"],
        json!([{ "right": "Sys.Modify", "path": "/nodes" }])
    );
    assert_eq!(test["excess"], json!([]));
    let lines = test["pveum"]["9"].as_str().unwrap_or_default();
    assert!(
        lines.contains("Sys.Modify") && lines.contains("'muster@pve!audit'"),
        "{lines}"
    );

    // It is enough to see everything; the nodes' updates stay unknown, with the reason.
    let added = muster.post(CLUSTERS, &new).await?.expect(StatusCode::CREATED)?;
    let id = added["id"].as_str().context("an id")?;
    let tree = wait_for("the tree", || async {
        let tree = muster.tree(id).await?;
        let read = tree["nodes"][0]["version"].is_string();
        Ok(read.then_some(tree))
    })
    .await?;
    assert_eq!(tree["nodes"][0]["updates"]["state"], "unknown");
    assert!(
        tree["nodes"][0]["updates"]["reason"]
            .as_str()
            .is_some_and(|reason| reason.contains("Sys.Modify"))
    );
    muster.assert_store_is_clean().await
}

#[tokio::test]
async fn a_token_that_sees_no_guest_is_refused_and_one_that_sees_one_is_not() -> Result<()> {
    let (sim, muster) = (homelab()?, Muster::start().await?);
    let cluster = &sim.clusters()[0];
    let blind = sim.ctl("token create --cluster homelab-1 --id blind@pve!main --privileges Sys.Audit")?;
    let mut new = as_new(cluster);
    new["token_id"] = json!("blind@pve!main");
    new["token_secret"] = blind["token_secret"].clone();
    let test = muster
        .post("/api/v1/proxmox/clusters/test", &new)
        .await?
        .expect(StatusCode::OK)?;
    let missing = &feature(&test, "discover")?["missing"];
    assert_eq!(*missing, json!([{ "right": "VM.Audit", "path": "/vms" }]));
    assert_eq!(test["warnings"].as_array().map(Vec::len), Some(1), "{test}");
    let refused = muster.post(CLUSTERS, &new).await?;
    assert_eq!(refused.code(), "missing_right", "{refused:?}");

    let narrow =
        sim.ctl("token create --cluster homelab-1 --id narrow@pve!main --privileges VM.Audit --path /vms/101")?;
    new["token_id"] = json!("narrow@pve!main");
    new["token_secret"] = narrow["token_secret"].clone();
    let added = muster.post(CLUSTERS, &new).await?.expect(StatusCode::CREATED)?;
    let id = added["id"].as_str().context("an id")?;
    let tree = wait_for("the guest", || async {
        let tree = muster.tree(id).await?;
        Ok((!all_guests(&tree).is_empty()).then_some(tree))
    })
    .await?;
    assert_eq!(all_guests(&tree).len(), 1);
    let pihole = guest(&tree, 101)?;
    assert_eq!(
        (&pihole["name"], &pihole["backup"]),
        (&json!("debian-pihole"), &json!("unknown"))
    );
    muster.assert_store_is_clean().await
}

#[tokio::test]
async fn answers_that_are_none_have_names() -> Result<()> {
    let (sim, muster) = (homelab()?, Muster::start().await?);
    let cluster = &sim.clusters()[1];
    for (fault, code) in [
        ("garbage", "pve_answer_unreadable"),
        ("big", "pve_answer_too_large"),
        ("reset", "pve_no_answer"),
        ("refuse", "pve_unreachable"),
    ] {
        sim.ctl(&format!("fault set --cluster {} --name {fault}", cluster.name))?;
        let answer = muster.post("/api/v1/proxmox/clusters/test", &as_new(cluster)).await?;
        assert_eq!(
            (answer.status, answer.code()),
            (StatusCode::BAD_GATEWAY, code),
            "{fault}: {answer:?}"
        );
        sim.ctl(&format!("fault clear --cluster {}", cluster.name))?;
    }
    muster
        .post("/api/v1/proxmox/clusters/test", &as_new(cluster))
        .await?
        .expect(StatusCode::OK)?;
    muster.assert_store_is_clean().await
}

#[tokio::test]
async fn names_are_taken_once_and_fields_are_checked_together() -> Result<()> {
    let (sim, muster) = (homelab()?, Muster::start().await?);
    muster.add(&sim.clusters()[1]).await?;
    let mut same = as_new(&sim.clusters()[2]);
    same["name"] = json!(sim.clusters()[1].title.to_uppercase());
    let answer = muster.post(CLUSTERS, &same).await?;
    assert_eq!((answer.status, answer.code()), (StatusCode::CONFLICT, "name_taken"));
    let wrong = json!({ "name": "", "endpoints": ["ftp://x"], "token_id": "root", "token_secret": "x", "tls": { "mode": "system" } });
    let answer = muster.post(CLUSTERS, &wrong).await?;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    let pointers: Vec<&str> = answer.body["errors"]
        .as_array()
        .context("errors")?
        .iter()
        .filter_map(|e| e["pointer"].as_str())
        .collect();
    assert_eq!(pointers, ["/name", "/endpoints/0", "/token_id"]);
    muster.assert_store_is_clean().await
}

#[tokio::test]
async fn a_new_token_is_tried_before_it_replaces_the_old_one() -> Result<()> {
    let (sim, muster) = (homelab()?, Muster::start().await?);
    let cluster = &sim.clusters()[1];
    let id = muster.add(cluster).await?;
    let path = format!("{CLUSTERS}/{id}/token");
    let refused = muster
        .post(
            &path,
            &json!({ "token_secret": "00000000-0000-0000-0000-000000000000" }),
        )
        .await?;
    assert_eq!(refused.code(), "token_refused");
    let new = json!({ "token_id": cluster.audit_token_id, "token_secret": cluster.audit_token_secret });
    let after = muster.post(&path, &new).await?.expect(StatusCode::OK)?;
    assert_eq!(after["token_id"], cluster.audit_token_id);
    muster
        .send(Method::POST, &format!("{CLUSTERS}/{id}/test"), None)
        .await?
        .expect(StatusCode::OK)?;
    muster.assert_store_is_clean().await
}

#[tokio::test]
async fn a_cluster_is_changed_paused_and_removed() -> Result<()> {
    let (sim, muster) = (homelab()?, Muster::start().await?);
    let id = muster.add(&sim.clusters()[1]).await?;
    let path = format!("{CLUSTERS}/{id}");
    let patch = json!({ "name": "Cellar", "paused": true });
    let after = muster
        .send(Method::PATCH, &path, Some(&patch))
        .await?
        .expect(StatusCode::OK)?;
    assert_eq!((&after["name"], &after["status"]), (&json!("Cellar"), &json!("paused")));
    assert_eq!(action(&after, "resume")?["allowed"], true);
    let elsewhere = json!({ "endpoints": ["https://127.0.0.1:1"] });
    let refused = muster.send(Method::PATCH, &path, Some(&elsewhere)).await?;
    assert_eq!(
        refused.code(),
        "pve_unreachable",
        "a wrong address does not replace a right one"
    );

    let guests = after["rollup"]["guests"].clone();
    let dry = muster
        .send(Method::DELETE, &format!("{path}?dry_run=true"), None)
        .await?
        .expect(StatusCode::OK)?;
    assert_eq!(
        (&dry["removed"], &dry["nodes"], &dry["guests"]),
        (&json!(false), &json!(1), &guests)
    );
    let gone = muster.send(Method::DELETE, &path, None).await?.expect(StatusCode::OK)?;
    assert_eq!(gone["removed"], true);
    assert_eq!(
        muster.send(Method::GET, &path, None).await?.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(muster.get("/api/v1/guests?total=true").await?["total"], 0);
    muster.assert_store_is_clean().await
}

fn feature<'a>(test: &'a Value, name: &str) -> Result<&'a Value> {
    let features = test["features"].as_array().context("features")?;
    features
        .iter()
        .find(|feature| feature["name"] == name)
        .context("the feature")
}

pub(crate) fn action<'a>(thing: &'a Value, name: &str) -> Result<&'a Value> {
    let actions = thing["actions"].as_array().context("actions")?;
    actions
        .iter()
        .find(|action| action["name"] == name)
        .with_context(|| format!("the action {name} in {actions:?}"))
}

pub(crate) fn all_guests(tree: &Value) -> Vec<&Value> {
    let nodes = tree["nodes"].as_array().into_iter().flatten();
    nodes
        .flat_map(|node| node["guests"].as_array().into_iter().flatten())
        .collect()
}

pub(crate) fn guest(tree: &Value, vmid: i64) -> Result<&Value> {
    let found = all_guests(tree).into_iter().find(|guest| guest["vmid"] == vmid);
    found.with_context(|| format!("guest {vmid}"))
}

fn names(items: &Value) -> Vec<&str> {
    items
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|item| item["name"].as_str())
        .collect()
}
