//! Lines to paste: each enrols one agent, once, in its own guest, in its time.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::harness::agents::{Guest, ask_for_lines, debians, scan};
use crate::harness::{Muster, ShiftedClock, Start, can_run_agents};

/// Seconds after which a line has expired.
const TOO_LATE: i64 = 3601;

#[tokio::test(flavor = "multi_thread")]
async fn a_line_enrols_once_in_its_own_guest_and_in_time() -> Result<()> {
    if !can_run_agents("a_line_enrols_once_in_its_own_guest_and_in_time") {
        return Ok(());
    }
    let clock = Arc::new(ShiftedClock::default());
    let start = Start {
        clock: clock.clone(),
        ..Start::default()
    };
    let (lab, muster) = (debians(4)?, Muster::start_with(start).await?);
    muster.add(&lab.clusters()[0]).await?;
    muster.set_agent_url(&muster.url).await?;
    let [first, second, third, last] = [100, 101, 102, 103].map(|vmid| Guest::of(&lab, vmid));

    used_twice(&muster, first, second).await?;
    in_another_guest(&muster, second, third).await?;
    replaced(&muster, third).await?;
    for guest in [first, second, third] {
        guest.agent_is(&muster, "online").await?;
    }
    let job = scan(&muster, &[first, second, third]).await?;
    assert_eq!(
        muster.ended(&job).await?["state"],
        "succeeded",
        "the first enrolments hold"
    );

    let asked = ask_for_lines(&muster, &[last], false).await?;
    clock.shift(TOO_LATE);
    refused(&muster, last, line(&asked)?, "token_expired", "has expired").await?;
    ends_with(&muster, &asked, last, "line_expired").await?;
    let unknown = "m0123456789012345678901234567890123456789012";
    assert_eq!(enrol(&muster, unknown).await?, "token_unknown");
    muster.assert_store_is_clean().await
}

/// In its own guest a used line repairs; in another one it is refused.
async fn used_twice(muster: &Muster, own: Guest<'_>, other: Guest<'_>) -> Result<()> {
    let asked = ask_for_lines(muster, &[own], false).await?;
    assert_eq!(own.sh(line(&asked)?)?, "muster-agent is online");
    let enrolled = own.agent_is(muster, "online").await?;
    own.sh("rm /usr/local/lib/muster/muster-agent && systemctl stop muster-agent")?;
    assert_eq!(own.sh(line(&asked)?)?, "muster-agent is online");
    refused(muster, other, line(&asked)?, "token_used", "has been used already").await?;
    assert_eq!(own.agent_is(muster, "online").await?["id"], enrolled["id"]);
    Ok(())
}

/// A line that was pasted into the wrong guest stays good for its own.
async fn in_another_guest(muster: &Muster, own: Guest<'_>, other: Guest<'_>) -> Result<()> {
    let asked = ask_for_lines(muster, &[own], false).await?;
    let (exit, said) = other.run(line(&asked)?)?;
    assert!(
        exit != 0 && said.contains("but was pasted into guest-102 (102)"),
        "{said}"
    );
    assert_eq!(own.sh(line(&asked)?)?, "muster-agent is online");
    muster.ended(&asked["job"]).await.map(drop)
}

/// The newest line counts, and who waits for an older one is told.
async fn replaced(muster: &Muster, guest: Guest<'_>) -> Result<()> {
    let older = ask_for_lines(muster, &[guest], false).await?;
    let newer = ask_for_lines(muster, &[guest], false).await?;
    ends_with(muster, &older, guest, "line_replaced").await?;
    refused(muster, guest, line(&older)?, "token_expired", "has expired").await?;
    assert_eq!(guest.sh(line(&newer)?)?, "muster-agent is online");
    assert_eq!(muster.ended(&newer["job"]).await?["state"], "succeeded");
    Ok(())
}

/// Pastes a line that does not work: it says why, and leaves no program behind.
async fn refused(muster: &Muster, guest: Guest<'_>, line: &str, code: &str, words: &str) -> Result<()> {
    let (exit, said) = guest.run(line)?;
    assert!(exit != 0 && said.contains("failed:") && said.contains(words), "{said}");
    assert_ne!(guest.run("ls /usr/local/lib/muster")?.0, 0);
    let token = line
        .rsplit(['\'', '"', ' '])
        .find(|word| word.starts_with('m') && word.len() == 44);
    assert_eq!(enrol(muster, token.context("a token")?).await?, code);
    Ok(())
}

/// What the server answers somebody who comes with this token and a key of their own.
async fn enrol(muster: &Muster, token: &str) -> Result<String> {
    let facts = json!({
        "hostname": "elsewhere", "os_id": "", "os_name": "", "os_version": "", "arch": "", "kernel": "", "init": "",
    });
    let body = json!({
        "protocol": muster_protocol::PROTOCOL_VERSION, "token": token, "agent_version": "0.1.0", "facts": facts,
        "public_key": "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
    });
    let answer = muster.post("/agent/v1/enrol", &body).await?;
    assert_eq!(answer.status, reqwest::StatusCode::UNAUTHORIZED);
    Ok(answer.code().to_owned())
}

async fn ends_with(muster: &Muster, asked: &Value, guest: Guest<'_>, code: &str) -> Result<()> {
    let job = muster.ended(&asked["job"]).await?;
    let target = muster.targets(&job).await?.remove(&guest.name()).context("a target")?;
    assert_eq!(target["reason"]["code"], code, "{target}");
    Ok(())
}

/// The line for the guest's own shell.
fn line(asked: &Value) -> Result<&str> {
    asked["by_hand"]["guests"][0]["line"].as_str().context("a line")
}
