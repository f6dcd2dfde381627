//! How much a cluster is asked over hours in which little happens, counted by the simulator on the wire.

use std::time::Duration;

use anyhow::Result;
use muster::app::discovery::Trigger;

use super::Yard;

/// What a cluster of any size is asked at most in a minute.
const MOST_IN_A_MINUTE: u64 = 12;
/// What is asked of a guest that moved, at once: its configuration and its addresses.
const OF_A_MOVED_GUEST: u64 = 2;
/// How often the schedule discovers.
const PACE: Duration = Duration::from_secs(10);

impl Yard {
    /// Lets a minute pass with its discoveries; answers how many calls homelab-1 received.
    async fn minute(&self, id: &str) -> Result<u64> {
        for _ in 0..6 {
            self.pass(PACE);
            self.discover(id, Trigger::Schedule).await?;
        }
        Ok(self.lab.take_calls("homelab-1")?.values().sum())
    }
}

#[tokio::test]
async fn a_cluster_is_asked_twelve_times_a_minute_at_most() -> Result<()> {
    let yard = Yard::homelab().await?;
    let id = yard.add(&yard.lab.clusters()[0]).await?;
    yard.lab.take_calls("homelab-1")?;
    let mut quiet = Vec::new();
    // Longer than details stay fresh, so that each guest is read again, too.
    for _ in 0..90 {
        quiet.push(yard.minute(&id).await?);
    }
    assert!(quiet.iter().all(|calls| *calls <= MOST_IN_A_MINUTE), "{quiet:?}");
    assert!(
        quiet.iter().any(|calls| *calls > 7),
        "old details are read again: {quiet:?}"
    );

    let mut lively = Vec::new();
    for minute in 0..20 {
        let to = ["pve2", "pve1"][minute % 2];
        yard.lab
            .ctl(&format!("guest migrate --cluster homelab-1 --vmid 101 --to {to}"))?;
        lively.push(yard.minute(&id).await?);
    }
    let most = MOST_IN_A_MINUTE + OF_A_MOVED_GUEST;
    assert!(lively.iter().all(|calls| *calls <= most), "{lively:?}");
    yard.muster.assert_store_is_clean().await
}
