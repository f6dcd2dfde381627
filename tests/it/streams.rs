//! The stream of events: cut anywhere and resumed, every event comes once and in order, also when the server was killed.

use anyhow::{Context as _, Result};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::clusters::guest;
use crate::harness::{Lab, MusterProcess, Place, homelab, wait_for};

const CHANGES: usize = 6;

#[tokio::test(flavor = "multi_thread")]
async fn a_resumed_stream_has_every_event_once() -> Result<()> {
    let (lab, mut muster) = (homelab()?, MusterProcess::start(Place::on_sqlite()?).await?);
    let id = muster.add(&lab.clusters()[0]).await?;
    let begin = muster.events().await?.cursor();
    let (mut cursor, mut seen) = (begin, Vec::new());
    for change in 0..CHANGES {
        if change == CHANGES / 2 {
            muster.kill()?;
            muster.start_again().await?;
        }
        rename(&lab, &muster, &id, &format!("name-{change}")).await?;
        // Some are left for the next time.
        let mut stream = muster.events_after(cursor).await?;
        for _ in 0..2 {
            cursor = note(&mut seen, &stream.one().await?)?;
        }
    }
    let end = muster.events().await?.cursor();
    let mut rest = muster.events_after(cursor).await?;
    while cursor < end {
        cursor = note(&mut seen, &rest.one().await?)?;
    }

    let (mut whole, mut cursor) = (Vec::new(), begin);
    let mut again = muster.events_after(begin).await?;
    while cursor < end {
        cursor = note(&mut whole, &again.one().await?)?;
    }
    assert_eq!(seen, whole);
    assert!(seen.is_sorted_by(|one, next| one < next), "{seen:?}");
    Ok(())
}

/// Keeps an event's number, and answers it.
fn note(seen: &mut Vec<i64>, event: &Value) -> Result<i64> {
    let number = event["seq"].as_i64();
    let number = number.with_context(|| format!("a number in {event}"))?;
    seen.push(number);
    Ok(number)
}

/// Renames a guest, and waits until the server has seen it.
async fn rename(lab: &Lab, muster: &MusterProcess, id: &str, name: &str) -> Result<()> {
    lab.ctl(&format!("guest set --cluster homelab-1 --vmid 101 --name {name}"))?;
    let path = format!("/api/v1/proxmox/clusters/{id}/discover");
    muster.post(&path, &json!({})).await?.expect(StatusCode::ACCEPTED)?;
    wait_for("the new name", async || {
        lab.pass(std::time::Duration::from_secs(10));
        let tree = muster.tree(id).await?;
        Ok((guest(&tree, 101)?["name"] == name).then_some(()))
    })
    .await
}
