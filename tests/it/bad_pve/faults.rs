//! Every fault of the simulator: it has a code, the code is shown and explained, and it goes with the fault.

use anyhow::{Context as _, Result};
use muster::app::discovery::Trigger;
use proxmox_sim::{ClusterSpec, FaultKind, GuestSpec, Os, Scenario};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{CLUSTERS, NEWS, Yard, is_explained};
use crate::clusters::guest;
use crate::harness::{Muster, simulate, wait_for};

/// What a cluster with this fault says. A fault that is added to the simulator does not compile until it stands here.
fn expected(fault: FaultKind) -> Option<(&'static str, &'static str)> {
    Some(match fault {
        FaultKind::Slow => ("pve_slow", "did not answer within 3 s"),
        FaultKind::Garbage => ("pve_answer_unreadable", "portal or proxy"),
        FaultKind::Truncated => ("pve_answer_unreadable", "EOF while parsing"),
        FaultKind::Types => ("pve_answer_unreadable", "lxc/100"),
        FaultKind::Empty => ("pve_answer_unreadable", "EOF while parsing"),
        FaultKind::Big | FaultKind::Endless => ("pve_answer_too_large", "larger than 4 MiB"),
        FaultKind::Reset | FaultKind::Half => ("pve_no_answer", "broke the connection"),
        FaultKind::Refuse => ("pve_unreachable", "takes a connection"),
        FaultKind::Unreachable => ("node_down", "595 No route to host"),
        FaultKind::Timeout => ("node_down", "596 Connection timed out"),
        FaultKind::Fails => ("pve_refused", "failed to read from command socket"),
        // The cluster can be read; see the tests of its health.
        FaultKind::Skew => return None,
    })
}

#[tokio::test]
async fn every_fault_has_a_code_and_ends_by_itself() -> Result<()> {
    let yard = Yard::homelab().await?;
    let clusters = yard.lab.clusters();
    let well = yard.add(&clusters[0]).await?;
    let ill = yard.add(&clusters[1]).await?;
    for fault in FaultKind::all() {
        let Some((code, words)) = expected(*fault) else {
            continue;
        };
        let name = fault.name();
        if *fault == FaultKind::Slow {
            // Takes a server with little patience, see below.
            continue;
        }
        yard.lab.ctl(&format!("fault set --cluster homelab-2 --name {name}"))?;
        assert_eq!(yard.refused(&ill).await?, code, "{name}");
        assert!(is_explained(code), "docs/errors.md does not explain {code}");

        let cluster = yard.cluster(&ill).await?;
        assert_eq!(
            (&cluster["status"], &cluster["error"]["code"]),
            (&json!("error"), &json!(code)),
            "{name}"
        );
        let detail = cluster["error"]["detail"].as_str().unwrap_or_default();
        assert!(detail.contains(words), "{name}: {detail}");
        assert!(cluster["next_step"]["text"].is_string(), "{name}: {cluster}");
        assert_eq!(yard.last_errors(&ill).await?[0]["code"], code, "{name}");

        yard.discover(&well, Trigger::Request).await?;
        assert_eq!(
            yard.cluster(&well).await?["status"],
            "active",
            "{name} is of the other cluster"
        );

        yard.lab.ctl("fault clear --cluster homelab-2")?;
        yard.discover(&ill, Trigger::Schedule).await?;
        let cluster = yard.cluster(&ill).await?;
        assert_eq!(
            (&cluster["status"], &cluster["error"]),
            (&json!("active"), &Value::Null),
            "after {name}"
        );
    }
    let tree = yard.muster.tree(&ill).await?;
    assert_eq!(guest(&tree, 300)?["stale_since"], Value::Null);
    assert_eq!(yard.lab.not_modelled(), Vec::<String>::new());
    yard.muster.assert_store_is_clean().await
}

#[tokio::test]
async fn a_cluster_that_does_not_answer_in_time_is_slow() -> Result<()> {
    let yard = Yard::with_patience(3).await?;
    let id = yard.add(&yard.lab.clusters()[1]).await?;
    yard.lab.ctl("fault set --cluster homelab-2 --name slow --arg 600000")?;
    let (code, words) = expected(FaultKind::Slow).context("it has a case")?;
    assert_eq!(yard.refused(&id).await?, code);
    let cluster = yard.cluster(&id).await?;
    let detail = cluster["error"]["detail"].as_str().context("a detail")?;
    assert!(detail.contains(words), "{detail}");
    assert!(is_explained(code));
    yard.lab.ctl("fault clear --cluster homelab-2")?;
    yard.discover(&id, Trigger::Schedule).await?;
    assert_eq!(yard.cluster(&id).await?["status"], "active");
    Ok(())
}

#[tokio::test]
async fn a_fault_of_one_node_leaves_the_others_readable() -> Result<()> {
    let yard = Yard::homelab().await?;
    let id = yard.add(&yard.lab.clusters()[0]).await?;
    // After a refused connection a node is asked through the other one for a while, so that fault comes last.
    let mut faults = FaultKind::all().to_vec();
    faults.sort_by_key(|fault| *fault == FaultKind::Refuse);
    for fault in &faults {
        let Some((code, _)) = expected(*fault) else { continue };
        let name = fault.name();
        if *fault == FaultKind::Slow {
            // Takes a server with little patience, see below.
            continue;
        }
        yard.lab
            .ctl(&format!("fault set --cluster homelab-1 --node pve2 --name {name}"))?;
        let summary = yard.discover(&id, Trigger::Request).await?;
        let tree = yard.muster.tree(&id).await?;
        assert_eq!(tree["cluster"]["status"], "active", "{name}");
        assert_eq!(tree["nodes"].as_array().map(Vec::len), Some(2), "{name}");
        assert_eq!(guest(&tree, 101)?["address"], "192.168.1.101", "{name}");
        assert_eq!(
            guest(&tree, 200)?["address"],
            "192.168.1.200",
            "{name}: what was known is kept"
        );
        let told: Vec<_> = summary
            .errors
            .iter()
            .map(|trouble| (trouble.node.as_deref(), trouble.code))
            .collect();
        // Where pve2 cannot be reached, it is asked through pve1.
        if !matches!(fault, FaultKind::Refuse | FaultKind::Reset | FaultKind::Half) {
            assert_eq!(told, [(Some("pve2"), code)], "{name}");
        } else {
            assert_eq!(told, [], "{name}");
        }
        yard.lab.ctl("fault clear --cluster homelab-1")?;
        let summary = yard.discover(&id, Trigger::Request).await?;
        assert_eq!(summary.errors, [], "after {name}");
    }
    yard.muster.assert_store_is_clean().await
}

/// More clusters that hang than are discovered at once.
const HANGING: usize = 9;

#[tokio::test]
async fn slow_clusters_do_not_hold_up_the_others() -> Result<()> {
    let names: Vec<String> = (0..=HANGING).map(|number| format!("lab-{number}")).collect();
    let specs = names.iter().map(|name| {
        let node = format!("node-{name}");
        let guest = GuestSpec::lxc(100, "first", &node, Os::Debian);
        ClusterSpec::new(name, name)
            .nodes([node.as_str()])
            .standalone()
            .guests(vec![guest])
    });
    let lab = simulate(Scenario::Custom(specs.collect()), false)?;
    let muster = Muster::start().await?;
    let mut ids = Vec::new();
    for cluster in lab.clusters() {
        ids.push(muster.add(cluster).await?);
    }
    for name in &names[..HANGING] {
        lab.ctl(&format!("fault set --cluster {name} --name slow --arg 600000"))?;
    }
    let (last, id) = (&names[HANGING], &ids[HANGING]);
    let often = json!({ "state_seconds": 2 });
    let changed = muster
        .send(Method::PATCH, &format!("{CLUSTERS}/{id}"), Some(&often))
        .await?;
    changed.expect(StatusCode::OK)?;
    lab.ctl(&format!(
        "guest create --cluster {last} --node node-{last} --vmid 201 --name newcomer"
    ))?;
    lab.pass(NEWS);
    wait_for("the newcomer", || async {
        Ok(guest(&muster.tree(id).await?, 201).is_ok().then_some(()))
    })
    .await?;
    muster.assert_store_is_clean().await
}
