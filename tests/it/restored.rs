//! A server that is lost and restored from a backup, on another kind of database.

use std::io::BufReader;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use muster_domain::Timestamp;
use muster_store::Store;
use proxmox_sim::{ClusterSpec, Os, Scenario};

use crate::harness::agents::{Guest, install, lxc, scan};
use crate::harness::{MusterProcess, Place, assert_clean, can_run_agents, simulate, wait_for};

#[tokio::test(flavor = "multi_thread")]
async fn agents_go_on_with_a_restored_server() -> Result<()> {
    if !can_run_agents("agents_go_on_with_a_restored_server") {
        return Ok(());
    }
    let lab = simulate(
        Scenario::Custom(vec![
            ClusterSpec::new("lab", "lab")
                .standalone()
                .nodes(["pve1"])
                .guests(vec![lxc(100, Os::Debian)]),
        ]),
        false,
    )?;
    let mut muster = MusterProcess::start(Place::on_sqlite()?).await?;
    muster.add(&lab.clusters()[0]).await?;
    muster.set_agent_url(&muster.url).await?;
    let guest = Guest::of(&lab, 100);
    install(&muster, &lab, &[guest]).await?;
    let backup = back_up(&muster).await?;

    // The agent gets a newer number than the backup knows.
    muster.kill()?;
    muster.start_again().await?;
    scans(&muster, guest).await?;
    muster.kill()?;
    let elsewhere = Place::on_postgres().await?;
    restore(&elsewhere, &backup).await?;
    muster.move_to(elsewhere);
    muster.start_again().await?;

    scans(&muster, guest).await?;
    assert_clean(&muster.inside().await?).await
}

/// A scan needs the agent's link, since no other way leads into the guest: it is accepted once that is back.
async fn scans(muster: &MusterProcess, guest: Guest<'_>) -> Result<()> {
    let accepted = wait_for("a scan that is accepted", async || {
        let job = scan(muster, &[guest]).await?;
        Ok(job.is_object().then_some(job))
    });
    let job = muster.ended(&accepted.await?).await?;
    assert_eq!(job["state"], "succeeded", "{:?}", muster.targets(&job).await?);
    Ok(())
}

async fn back_up(muster: &MusterProcess) -> Result<Vec<u8>> {
    let (app, mut file) = (muster.inside().await?, Vec::new());
    app.store.back_up(Timestamp::from_micros(0), "test", &mut file).await?;
    app.store.close().await;
    Ok(file)
}

async fn restore(place: &Place, backup: &[u8]) -> Result<()> {
    let store = Store::open(place.database()).await?;
    // The event that tells of it is young: housekeeping never drops the newest one, and that may be it.
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let now = Timestamp::from_micros(i64::try_from(now.as_micros())?);
    store.restore(now, BufReader::new(backup)).await?;
    store.close().await;
    Ok(())
}
