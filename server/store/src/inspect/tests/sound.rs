//! A small sound database with a row in every table: one scan at work, one installation that waits, and what is over.

use muster_domain::{ClusterId, GuestId, JobId, ServerId, TargetId, UserId};
use muster_domain::{job::JobState, job::TargetState};
use sqlx::types::Json;

use super::super::*;
use super::{NOW, at, id};
use crate::agents::AgentRow;
use crate::audit::AuditRow;
use crate::commands::NewCommand;
use crate::discovery_log::DiscoveryRow;
use crate::enrolments::EnrolmentRow;
use crate::guests::{GuestAgent, GuestUpdates};
use crate::job_targets::{NewTarget, TargetMove};
use crate::jobs::NewJob;
use crate::scans::{ScanRow, UpdateRow};
use crate::secrets::SecretRow;
use crate::sessions::{FailuresRow, LinkPurpose};
use crate::testing::fleet;
use crate::tokens::TokenRow;
use crate::users::UserRow;

const SERVER: ServerId = ServerId(Uuid::from_u128(0xa));
const SCANNED: GuestId = GuestId(Uuid::from_u128(3));
const ENROLLING: GuestId = GuestId(Uuid::from_u128(4));

/// Writes all of it.
pub(super) async fn write(tx: &mut Tx) -> Result<(), StoreError> {
    fleet_and_secrets(tx).await?;
    agent_and_updates(tx).await?;
    scan_at_work(tx).await?;
    waiting_installation(tx).await?;
    ended_discovery(tx).await?;
    people(tx).await?;
    tx.take_server_lease(SERVER, "here", at(NOW), at(NOW + 10)).await?;
    tx.claim_idempotency_key("u", "k", b"f", at(NOW)).await?;
    tx.take_guest_lock(SCANNED, id(30), at(NOW), at(NOW + 10)).await?;
    tx.note_console_change(ENROLLING, Some("tty"), at(NOW)).await?;
    tx.publish(at(NOW), "cluster.changed", None, serde_json::Value::Null)
        .await?;
    tx.publish(at(NOW), "guest.changed", None, serde_json::Value::Null)
        .await
        .map(drop)
}

async fn fleet_and_secrets(tx: &mut Tx) -> Result<(), StoreError> {
    tx.insert_cluster(&fleet::cluster(1, "a")).await?;
    tx.insert_cluster(&fleet::cluster(5, "b")).await?;
    tx.insert_node(&fleet::node(2, 1, "pve1")).await?;
    tx.insert_guest(&fleet::guest(3, 1, 2, 100)).await?;
    tx.insert_guest(&fleet::guest(4, 1, 2, 101)).await?;
    for (owner, purpose) in [
        (id(1), "pve_token"),
        (id(5), "pve_token"),
        (Uuid::nil(), "server_identity"),
    ] {
        let (purpose, key_id) = (purpose.to_owned(), "k".to_owned());
        tx.put_secret(&SecretRow {
            owner,
            purpose,
            key_id,
            sealed: vec![1],
        })
        .await?;
    }
    Ok(())
}

async fn agent_and_updates(tx: &mut Tx) -> Result<(), StoreError> {
    tx.save_agent(&AgentRow {
        id: id(7),
        guest_id: SCANNED.0,
        public_key: vec![1; 32],
        version: "0.1.0".to_owned(),
        facts: Json(serde_json::Value::Null),
        machine: None,
        counter: 0,
        generation: 0,
        quarantine: None,
        enrolled_at: NOW - 5000,
    })
    .await?;
    let agent = |state| GuestAgent {
        state,
        version: None,
        seen_at: None,
        reason: None,
    };
    tx.set_guest_agent(SCANNED, &agent("online")).await?;
    tx.set_guest_agent(ENROLLING, &agent("enrolling")).await?;
    let update = |name: &str, security| UpdateRow {
        source: "apt".to_owned(),
        name: name.to_owned(),
        arch: "amd64".to_owned(),
        from_version: None,
        to_version: "2".to_owned(),
        origin: None,
        security,
        evidence: None,
        held: false,
        size: None,
        severity: None,
        fixes: String::new(),
        phased: None,
        kept_back: false,
        installed_size: None,
    };
    tx.replace_updates(SCANNED, &[update("openssl", Some(true)), update("vim", Some(false))])
        .await?;
    let (transport, digest) = ("agent".to_owned(), "d".to_owned());
    tx.save_scan(&ScanRow {
        guest_id: SCANNED.0,
        scanned_at: NOW - 4000,
        transport,
        digest,
        besides: Json::default(),
    })
    .await?;
    let counts = GuestUpdates {
        state: "fresh",
        total: Some(2),
        security: Some(1),
        scanned_at: Some(NOW - 4000),
        reason: None,
        reboot_required: None,
    };
    tx.set_guest_updates(SCANNED, &counts).await
}

async fn job(
    tx: &mut Tx,
    number: u128,
    kind: &'static str,
    target: u128,
    guest: Option<GuestId>,
) -> Result<(), StoreError> {
    let retry_of = (kind == "install").then(|| JobId(id(number - 1)));
    tx.insert_job(&NewJob {
        id: JobId(id(number)),
        kind,
        title: format!("the {kind}"),
        work: serde_json::json!({ "kind": kind }),
        cluster: Some(ClusterId(id(1))),
        concurrency_key: None,
        retry_of,
        at: at(NOW - 3000),
        created_by: "anna".to_owned(),
    })
    .await?;
    let target = NewTarget {
        id: TargetId(id(target)),
        guest,
        name: format!("target of the {kind}"),
        skipped: None,
    };
    tx.insert_targets(JobId(id(number)), &[target], at(NOW - 3000)).await
}

async fn moved(tx: &mut Tx, target: u128, to: TargetState) -> Result<(), StoreError> {
    let change = TargetMove {
        from: TargetState::Queued,
        to,
        step: None,
        reason: None,
        memo: None,
        result: None,
        transport: None,
        begins: true,
        at: at(NOW - 2500),
    };
    tx.move_target(TargetId(id(target)), &change).await.map(drop)
}

async fn scan_at_work(tx: &mut Tx) -> Result<(), StoreError> {
    job(tx, 9, "scan", 30, Some(SCANNED)).await?;
    tx.claim_job(SERVER, at(NOW), at(NOW + 50)).await?;
    moved(tx, 30, TargetState::Running).await?;
    for (number, target) in [(50, Some(TargetId(id(30)))), (51, None)] {
        tx.insert_command(&NewCommand {
            id: muster_domain::CommandId(id(number)),
            agent: muster_domain::AgentId(id(7)),
            target,
            payload: "{}".to_owned(),
            signature: String::new(),
            issued_at: at(NOW - 2000),
            expires_at: at(NOW + 50),
            answer_until: at(NOW + 100),
        })
        .await?;
    }
    tx.cancel_command(muster_domain::CommandId(id(51)), at(NOW - 1000))
        .await
        .map(drop)
}

async fn waiting_installation(tx: &mut Tx) -> Result<(), StoreError> {
    job(tx, 10, "install", 31, Some(ENROLLING)).await?;
    tx.claim_job(SERVER, at(NOW), at(NOW + 50)).await?;
    moved(tx, 31, TargetState::Waiting).await?;
    tx.park_job(JobId(id(10)), SERVER, at(NOW + 3600), 0, at(NOW)).await?;
    let row = EnrolmentRow {
        id: id(40),
        guest_id: ENROLLING.0,
        target_id: Some(id(31)),
        token_hash: vec![4; 32],
        created_at: NOW - 3000,
        expires_at: NOW + 3600,
        used_at: None,
    };
    tx.insert_enrolment(&row).await
}

async fn ended_discovery(tx: &mut Tx) -> Result<(), StoreError> {
    job(tx, 11, "discover", 32, None).await?;
    tx.claim_job(SERVER, at(NOW - 2900), at(NOW - 2400)).await?;
    moved(tx, 32, TargetState::Succeeded).await?;
    tx.append_log(JobId(id(11)), at(NOW - 2500), "info", None, "Found 1 node")
        .await?;
    tx.finish_job(JobId(id(11)), JobState::Succeeded, None, at(NOW - 2500))
        .await?;
    let list = || Json(serde_json::json!([]));
    tx.log_discovery(&DiscoveryRow {
        id: id(70),
        cluster_id: id(1),
        started_at: NOW - 2900,
        duration_ms: 1,
        started_by: "request".to_owned(),
        nodes_found: 1,
        guests_found: 2,
        appeared: list(),
        changed: list(),
        gone: list(),
        errors: list(),
    })
    .await
}

async fn people(tx: &mut Tx) -> Result<(), StoreError> {
    tx.add_user(&UserRow {
        id: id(60),
        name: "anna".to_owned(),
        role: "admin".to_owned(),
        password_hash: None,
        created_at: 1,
        signed_in_at: None,
    })
    .await?;
    tx.add_session(&[1; 32], UserId(id(60)), at(NOW), at(NOW + 100)).await?;
    tx.add_link(&[2; 32], LinkPurpose::SignIn, Some(UserId(id(60))), at(NOW + 100))
        .await?;
    tx.add_token(&TokenRow {
        id: id(61),
        name: "ci".to_owned(),
        role: "viewer".to_owned(),
        user_id: Some(id(60)),
        user_name: None,
        user_role: None,
        hash: vec![3; 32],
        created_at: 1,
        expires_at: None,
        last_used_at: None,
    })
    .await?;
    let failures = FailuresRow {
        failures: 1,
        last_at: NOW,
        blocked_until: 0,
    };
    tx.put_sign_in_failures("n", "192.0.2.1", failures).await?;
    tx.record_audit(&AuditRow {
        id: id(80),
        at: NOW,
        actor_kind: "system".to_owned(),
        actor_id: None,
        actor_name: "Muster".to_owned(),
        action: "guests.scan".to_owned(),
        target_kind: "job".to_owned(),
        target_id: None,
        target_name: String::new(),
        detail: Json(serde_json::Value::Null),
        request_id: None,
    })
    .await
}
