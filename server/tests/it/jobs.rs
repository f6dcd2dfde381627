//! Jobs: each comes to its end, also when servers die over it, and nothing of it is lost.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use muster::app::jobs::JobOrder;
use muster_domain::access::Role;
use muster_domain::job::Work;
use muster_domain::{ClusterId, JobId, ServerId, TargetId};
use muster_store::job_targets::NewTarget;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::TestServer;

const LEASE: Duration = Duration::from_secs(30);

/// A discovery of a cluster that does not exist: real work that ends at once.
async fn queue(server: &TestServer) -> JobId {
    let order = || JobOrder {
        work: Work::Discover {
            cluster: ClusterId(Uuid::from_u128(1)),
            trigger: "request".to_owned(),
        },
        title: "Discover nowhere".to_owned(),
        cluster: None,
        retry_of: None,
        targets: vec![NewTarget {
            id: TargetId(server.app.ids.next()),
            guest: None,
            name: "nowhere".to_owned(),
            skipped: None,
        }],
    };
    let ctx = server.shell();
    let id: Result<JobId, muster::app::Error> = muster_store::write!(server.app.store, tx => {
        server.app.enqueue(&ctx, tx, order()).await
    });
    server.app.jobs.wake();
    id.expect("is queued")
}

/// The job once it is over.
async fn ended(server: &TestServer, id: JobId, token: &str) -> Value {
    let mut tail = server.app.jobs.lines();
    let over = async {
        loop {
            let job = server
                .get(&format!("/api/v1/jobs/{id}"))
                .bearer(token)
                .send()
                .await
                .json();
            if !job["finished_at"].is_null() {
                return job;
            }
            // The job's end follows its last line.
            let _ = tokio::time::timeout(Duration::from_millis(20), tail.changed()).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), over)
        .await
        .expect("the job ends")
}

/// A server that takes the oldest job and dies.
async fn die_over_a_job(server: &TestServer) {
    let app = &server.app;
    let taken: Result<_, muster::app::Error> = muster_store::write!(app.store, tx => {
        let now = app.clock.now();
        Ok(tx.claim_job(ServerId(app.ids.next()), now, now + LEASE).await?)
    });
    taken.expect("is claimed").expect("a job is due");
    server.clock.pass(LEASE + Duration::from_secs(1));
}

#[tokio::test]
async fn every_target_of_a_failed_job_says_why() {
    let server = TestServer::start().await;
    let token = server.token(Role::Operator).await;
    muster::jobs::start(&server.app);
    let id = queue(&server).await;

    let job = ended(&server, id, &token).await;
    assert_eq!(
        (&job["state"], &job["progress"]["failed"]),
        (&json!("failed"), &json!(1)),
        "{job}"
    );
    let targets = server
        .get(&format!("/api/v1/jobs/{id}/targets"))
        .bearer(&token)
        .send()
        .await
        .json();
    assert_eq!(targets["items"][0]["reason"]["code"], "not_found", "{targets}");
    let log = server
        .get(&format!("/api/v1/jobs/{id}/log"))
        .bearer(&token)
        .send()
        .await
        .json();
    let lines: Vec<_> = log["items"]
        .as_array()
        .expect("lines")
        .iter()
        .map(|line| line["n"].clone())
        .collect();
    assert_eq!(lines, [1, 2]);
    assert!(log.get("next").is_none(), "nothing can follow: {log}");
}

#[tokio::test]
async fn a_log_stream_resumes_at_any_line_and_ends_with_the_job() {
    let server = TestServer::start().await;
    let token = server.token(Role::Viewer).await;
    muster::jobs::start(&server.app);
    let id = queue(&server).await;
    let stream = async |after: &str| {
        let call = server.get(&format!("/api/v1/jobs/{id}/log")).bearer(&token);
        call.header("accept", "text/event-stream")
            .header("last-event-id", after)
            .send()
            .await
            .text
    };

    // Opened while the job may still run: the stream itself waits for the end.
    let whole = stream("0").await;
    assert_eq!(whole.matches("event: line").count(), 2, "{whole}");
    assert!(whole.trim_end().ends_with("event: end\ndata: {}"), "{whole}");
    let rest = stream("1").await;
    assert!(rest.contains("id: 2") && !rest.contains("id: 1"), "{rest}");
}

#[tokio::test]
async fn a_job_goes_on_after_its_server_died() {
    let server = TestServer::start().await;
    let token = server.token(Role::Viewer).await;
    let id = queue(&server).await;
    die_over_a_job(&server).await;
    muster::jobs::start(&server.app);
    assert_eq!(ended(&server, id, &token).await["progress"]["done"], 1);
}

#[tokio::test]
async fn a_job_that_kills_its_servers_is_given_up() {
    let server = TestServer::start().await;
    let token = server.token(Role::Viewer).await;
    let id = queue(&server).await;
    for _ in 0..5 {
        die_over_a_job(&server).await;
    }
    muster::jobs::start(&server.app);
    let job = ended(&server, id, &token).await;
    assert_eq!(job["reason"]["code"], "interrupted", "{job}");
    assert_eq!(job["state"], "failed");
}

#[tokio::test]
async fn a_queued_job_is_cancelled_at_once_and_only_once() {
    let server = TestServer::start().await;
    let token = server.token(Role::Operator).await;
    let id = queue(&server).await;
    let cancel = || {
        server
            .call(Method::POST, &format!("/api/v1/jobs/{id}/cancel"))
            .bearer(&token)
            .send()
    };

    let job = cancel().await.expect(StatusCode::ACCEPTED).json();
    assert_eq!(job["state"], "cancelled", "{job}");
    let refused = job["actions"][0].clone();
    assert_eq!(
        (&refused["name"], &refused["allowed"]),
        (&json!("cancel"), &json!(false)),
        "{refused}"
    );
    assert_eq!(cancel().await.code(), "job_over");
}

#[tokio::test]
async fn a_job_held_by_another_server_is_stopped_through_its_row() {
    let server = TestServer::start().await;
    let token = server.token(Role::Operator).await;
    let id = queue(&server).await;
    let app = &server.app;
    let taken: Result<_, muster::app::Error> = muster_store::write!(app.store, tx => {
        let now = app.clock.now();
        Ok(tx.claim_job(ServerId(Uuid::from_u128(9)), now, now + LEASE).await?)
    });
    taken.expect("is claimed").expect("a job is due");

    let cancel = server
        .call(Method::POST, &format!("/api/v1/jobs/{id}/cancel"))
        .bearer(&token);
    let job = cancel.send().await.expect(StatusCode::ACCEPTED).json();
    assert_eq!(job["state"], "running", "the other server ends it: {job}");
    // The other server is dead, so whoever takes the job over does.
    server.clock.pass(LEASE + Duration::from_secs(1));
    muster::jobs::start(app);
    assert_eq!(ended(&server, id, &token).await["state"], "cancelled");
}
