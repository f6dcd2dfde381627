//! Tokens that end and rights that are lost after a cluster was added.

use std::time::Duration;

use anyhow::{Context as _, Result};
use muster::app::discovery::Trigger;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{CLUSTERS, Yard};
use crate::clusters::{all_guests, guest};

/// Rights and certificates are asked again after that long.
const RIGHTS_AGAIN: Duration = Duration::from_secs(660);

#[tokio::test]
async fn a_revoked_token_is_said_until_another_one_is_given() -> Result<()> {
    let yard = Yard::homelab().await?;
    let cluster = &yard.lab.clusters()[1];
    let id = yard.add(cluster).await?;
    yard.lab.ctl("token revoke --cluster homelab-2 --id muster@pve!main")?;
    for _ in 0..3 {
        assert_eq!(yard.refused(&id).await?, "token_refused");
    }
    let shown = yard.cluster(&id).await?;
    assert_eq!(
        (&shown["error"]["code"], &shown["next_step"]["action"]),
        (&json!("token_refused"), &json!("rotate_token"))
    );
    assert_eq!(
        (&shown["health"]["gravity"], &shown["health"]["reasons"][0]["code"]),
        (&json!("critical"), &json!("token_refused"))
    );
    let tree = yard.muster.tree(&id).await?;
    assert!(guest(&tree, 300)?["stale_since"].is_string(), "nobody knows any more");

    let new = yard
        .lab
        .ctl("token create --cluster homelab-2 --id muster@pve!main --privileges VM.Audit,Sys.Audit,Pool.Audit")?;
    let rotate = json!({ "token_secret": new["token_secret"] });
    let path = format!("{CLUSTERS}/{id}/token");
    yard.muster.post(&path, &rotate).await?.expect(StatusCode::OK)?;
    yard.discover(&id, Trigger::Schedule).await?;
    assert_eq!(yard.cluster(&id).await?["status"], "active");
    assert_eq!(guest(&yard.muster.tree(&id).await?, 300)?["stale_since"], Value::Null);
    yard.muster.assert_store_is_clean().await
}

#[tokio::test]
async fn an_expired_token_works_again_when_its_end_is_moved() -> Result<()> {
    let yard = Yard::homelab().await?;
    let id = yard.add(&yard.lab.clusters()[1]).await?;
    yard.lab
        .ctl("token expire --cluster homelab-2 --id muster@pve!main --seconds 3600")?;
    yard.pass(Duration::from_secs(3599));
    yard.discover(&id, Trigger::Schedule).await?;
    yard.pass(Duration::from_secs(2));
    assert_eq!(yard.refused(&id).await?, "token_refused");
    yard.lab.ctl("token expire --cluster homelab-2 --id muster@pve!main")?;
    yard.discover(&id, Trigger::Schedule).await?;
    assert_eq!(yard.cluster(&id).await?["status"], "active");
    yard.muster.assert_store_is_clean().await
}

#[tokio::test]
async fn guests_that_the_token_no_longer_sees_are_not_gone() -> Result<()> {
    let yard = Yard::homelab().await?;
    let id = yard.add(&yard.lab.clusters()[0]).await?;
    let before = yard.muster.tree(&id).await?;
    yard.lab
        .ctl("token rights --cluster homelab-1 --id muster@pve!main --privileges Sys.Audit")?;
    assert_eq!(yard.refused(&id).await?, "missing_right");
    let tree = yard.muster.tree(&id).await?;
    assert_eq!(all_guests(&tree).len(), all_guests(&before).len());
    assert!(all_guests(&tree).iter().all(|guest| is_hidden(guest)), "{tree}");
    assert_eq!(tree["nodes"][0]["stale_since"], Value::Null, "the nodes can be seen");
    assert_eq!(tree["cluster"]["error"]["code"], "missing_right");
    let detail = tree["cluster"]["error"]["detail"].as_str().context("a detail")?;
    assert!(detail.contains("VM.Audit") && detail.contains("100, 101"), "{detail}");
    assert_eq!(yard.last_errors(&id).await?[0]["code"], "missing_right");

    yard.lab.ctl(&format!(
        "token rights --cluster homelab-1 --id muster@pve!main --privileges {ALL}"
    ))?;
    yard.discover(&id, Trigger::Schedule).await?;
    let tree = yard.muster.tree(&id).await?;
    assert_eq!(tree["cluster"]["status"], "active");
    assert_eq!(guest(&tree, 101)?["stale_since"], Value::Null);
    assert_eq!(guest(&tree, 101)?["id"], guest(&before, 101)?["id"]);
    yard.muster.assert_store_is_clean().await
}

#[tokio::test]
async fn a_right_that_is_lost_for_some_guests_hides_those_until_they_are_deleted() -> Result<()> {
    let yard = Yard::homelab().await?;
    let id = yard.add(&yard.lab.clusters()[0]).await?;
    yard.lab
        .ctl("token rights --cluster homelab-1 --id muster@pve!main --privileges VM.Audit --path /vms/101")?;
    let summary = yard.discover(&id, Trigger::Schedule).await?;
    assert_eq!(summary.gone, []);
    let tree = yard.muster.tree(&id).await?;
    assert_eq!(tree["cluster"]["status"], "active");
    assert_eq!(guest(&tree, 101)?["stale_since"], Value::Null);
    assert!(is_hidden(guest(&tree, 104)?), "{}", guest(&tree, 104)?);
    let reason = reason(&tree["cluster"], "missing_right", "").context("said in its health")?;
    assert_eq!(reason["gravity"], "warning");

    // PVE takes the rights on a guest away with the guest, so nothing but its number tells that it is gone.
    yard.lab.ctl("guest stop --cluster homelab-1 --vmid 104")?;
    yard.lab.ctl("guest delete --cluster homelab-1 --vmid 104")?;
    yard.pass(RIGHTS_AGAIN);
    let summary = yard.discover(&id, Trigger::Schedule).await?;
    let gone: Vec<_> = summary.gone.iter().map(|found| found.vmid).collect();
    assert_eq!(gone, [Some(104)]);
    assert!(is_hidden(guest(&yard.muster.tree(&id).await?, 105)?));

    yard.lab.ctl(&format!(
        "token rights --cluster homelab-1 --id muster@pve!main --privileges {ALL}"
    ))?;
    yard.pass(RIGHTS_AGAIN);
    yard.discover(&id, Trigger::Schedule).await?;
    let tree = yard.muster.tree(&id).await?;
    assert_eq!(guest(&tree, 105)?["stale_since"], Value::Null);
    assert_eq!(
        reason_of(&tree["cluster"], "missing_right"),
        None,
        "{}",
        tree["cluster"]["health"]
    );
    yard.muster.assert_store_is_clean().await
}

#[tokio::test]
async fn an_upgrade_that_takes_a_right_away_is_told_with_the_right() -> Result<()> {
    let yard = Yard::homelab().await?;
    let id = yard.add(&yard.lab.clusters()[1]).await?;
    assert_eq!(reason_of(&yard.cluster(&id).await?, "missing_right"), None);
    yard.lab.ctl("cluster upgrade --cluster homelab-2")?;
    yard.pass(RIGHTS_AGAIN);
    yard.discover(&id, Trigger::Schedule).await?;
    let shown = yard.cluster(&id).await?;
    assert!(
        shown["version"]
            .as_str()
            .is_some_and(|version| version.starts_with("9.")),
        "{shown}"
    );
    let reason = reason(&shown, "missing_right", "vm_addresses").context("the feature")?;
    let detail = reason["detail"].as_str().context("a detail")?;
    assert!(detail.contains("VM.GuestAgent.Audit on /vms"), "{detail}");
    Ok(())
}

/// What the main token has at the beginning, as far as Muster uses it.
const ALL: &str = "VM.Audit,Sys.Audit,Datastore.Audit,Pool.Audit,Sys.Modify,VM.GuestAgent.Audit,VM.GuestAgent.Unrestricted,VM.Console,VM.PowerMgmt,VM.Config.Options";

fn is_hidden(guest: &Value) -> bool {
    let reason = guest["stale_reason"].as_str().unwrap_or_default();
    guest["gone_at"].is_null() && guest["stale_since"].is_string() && reason.contains("VM.Audit")
}

fn reason_of<'a>(cluster: &'a Value, code: &str) -> Option<&'a Value> {
    let reasons = cluster["health"]["reasons"].as_array()?;
    reasons.iter().find(|reason| reason["code"] == code)
}

/// The reason with this code about that subject; an empty one is the cluster.
pub(super) fn reason<'a>(cluster: &'a Value, code: &str, subject: &str) -> Option<&'a Value> {
    let reasons = cluster["health"]["reasons"].as_array()?;
    let about = |reason: &&Value| reason["subject"].as_str().unwrap_or_default() == subject;
    reasons.iter().filter(|reason| reason["code"] == code).find(about)
}
