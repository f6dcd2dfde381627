//! A guest is copied with the agent in it: neither of the two is believed, until the agent is installed again in each.

use std::process::Command;

use anyhow::{Result, ensure};

use crate::harness::agents::{Guest, debians, install, scan};
use crate::harness::{Lab, Muster, can_run_agents, wait_for};

#[tokio::test(flavor = "multi_thread")]
async fn two_guests_with_one_key_are_quarantined_until_they_are_installed_again() -> Result<()> {
    if !can_run_agents("two_guests_with_one_key_are_quarantined_until_they_are_installed_again") {
        return Ok(());
    }
    let (lab, muster) = (debians(2)?, Muster::start().await?);
    muster.add(&lab.clusters()[0]).await?;
    muster.set_agent_url(&muster.url).await?;
    let (original, copy) = (Guest::of(&lab, 100), Guest::of(&lab, 101));
    install(&muster, &lab, &[original]).await?;
    // It boots when it is first used.
    copy.sh("true")?;
    copy_files(&lab, original, copy)?;
    copy.sh("systemctl enable --now muster-agent")?;

    let row = original.agent_is(&muster, "quarantined").await?;
    let reason = row["agent"]["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("used twice"), "{row}");
    assert_eq!(copy.row(&muster).await?["agent"]["state"], "none");
    for guest in [original, copy] {
        wait_for("the agent's own word", async || {
            let (_, said) = guest.run("/usr/local/lib/muster/muster-agent status")?;
            Ok(said.starts_with("refused:").then_some(()))
        })
        .await?;
    }
    assert_eq!(muster.app.agents.links.count(), 0);
    let audit = muster.get("/api/v1/audit").await?;
    assert_eq!(audit["items"][0]["action"], "agent.quarantine", "{audit}");

    install(&muster, &lab, &[original, copy]).await?;
    for guest in [original, copy] {
        guest.agent_is(&muster, "online").await?;
    }
    assert_eq!(muster.app.agents.links.count(), 2);
    let job = scan(&muster, &[original, copy]).await?;
    assert_eq!(muster.ended(&job).await?["state"], "succeeded");
    muster.assert_store_is_clean().await
}

/// Copies what a copied disk would bring along of an agent.
fn copy_files(lab: &Lab, from: Guest<'_>, to: Guest<'_>) -> Result<()> {
    for folder in ["root/var/lib/muster-agent", "root/etc/systemd/system", "local/lib"] {
        let disk = |guest: Guest<'_>| {
            lab.state_dir()
                .join("guests/lab")
                .join(guest.vmid.to_string())
                .join(folder)
        };
        std::fs::create_dir_all(disk(to))?;
        let copied = Command::new("cp")
            .arg("-a")
            .arg(disk(from).join("."))
            .arg(disk(to))
            .status()?;
        ensure!(copied.success(), "{folder} cannot be copied");
    }
    Ok(())
}
