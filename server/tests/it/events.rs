//! The event stream: hello, order, resuming, and what ends it.

use std::time::Duration;

use axum::body::BodyDataStream;
use axum::http::StatusCode;
use futures::StreamExt as _;
use muster::app::jobs::JobOrder;
use muster_domain::access::Role;
use muster_domain::job::Work;
use muster_store::StoreError;
use serde_json::{Value, json};

use crate::harness::TestServer;

/// Shorter than the time between two pings, which are chunks too.
const PATIENCE: Duration = Duration::from_secs(10);

/// One frame of the stream.
#[derive(Debug, Clone, PartialEq)]
struct Frame {
    event: String,
    id: i64,
    data: Value,
}

/// An open stream.
struct Watch {
    body: BodyDataStream,
    text: String,
}

impl Watch {
    async fn open(server: &TestServer, token: &str, query: &str) -> Watch {
        let response = server
            .get(&format!("/api/v1/events{query}"))
            .bearer(token)
            .respond()
            .await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["x-accel-buffering"], "no");
        Watch {
            body: response.into_body().into_data_stream(),
            text: String::new(),
        }
    }

    /// The next frame; `None` when the stream has ended.
    async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some((frame, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let lines = frame.lines().filter_map(|line| line.strip_prefix(name));
                    lines
                        .map(|value| value.trim_start_matches([':', ' ']).to_owned())
                        .next()
                };
                let read = field("event").map(|event| Frame {
                    event,
                    id: field("id")
                        .and_then(|id| id.parse().ok())
                        .expect("a frame has a number"),
                    data: serde_json::from_str(&field("data").expect("a frame has data")).expect("data is JSON"),
                });
                self.text = rest.to_owned();
                if read.is_some() {
                    return read;
                }
                continue;
            }
            let chunk = tokio::time::timeout(PATIENCE, self.body.next())
                .await
                .expect("a frame comes in time");
            let chunk = chunk?.expect("the stream does not break");
            self.text.push_str(std::str::from_utf8(&chunk).expect("text"));
        }
    }
}

async fn publish(server: &TestServer, kind: &str, count: i64) {
    for n in 0..count {
        let at = muster::clock::Clock::now(&*server.clock);
        let done: Result<i64, StoreError> = muster_store::write!(server.app.store, tx => {
            tx.publish(at, kind, None, json!({ "n": n })).await
        });
        done.expect("publishes");
    }
}

#[tokio::test]
async fn a_stream_starts_with_hello_and_goes_on_with_each_event_in_order() {
    let server = TestServer::start().await;
    let token = server.token(Role::Viewer).await;
    publish(&server, "before", 3).await;
    let mut watch = Watch::open(&server, &token, "").await;
    let hello = watch.next().await.expect("a hello");
    assert_eq!(
        (hello.event.as_str(), &hello.data),
        ("hello", &json!({ "cursor": hello.id }))
    );
    publish(&server, "x.changed", 500).await;
    for n in 0..500 {
        let frame = watch.next().await.expect("an event");
        assert_eq!((frame.event.as_str(), frame.id), ("x.changed", hello.id + 1 + n));
        assert_eq!(
            (&frame.data["seq"], &frame.data["kind"], &frame.data["n"]),
            (&json!(frame.id), &json!("x.changed"), &json!(n))
        );
    }
}

#[tokio::test]
async fn streams_at_one_place_each_show_what_their_own_role_may_do() -> anyhow::Result<()> {
    let server = TestServer::start().await;
    let mut watches = Vec::new();
    for role in [Role::Admin, Role::Viewer, Role::Admin, Role::Viewer] {
        let token = server.token(role).await;
        let mut watch = Watch::open(&server, &token, "").await;
        watch.next().await.expect("a hello");
        watches.push((role, watch));
    }
    let order = || JobOrder {
        work: Work::Scan,
        title: "Scan nothing".to_owned(),
        cluster: None,
        retry_of: None,
        targets: Vec::new(),
    };
    let (app, ctx) = (&server.app, server.shell());
    for _ in 0..2 {
        let queued: Result<_, muster::app::Error> =
            muster_store::write!(app.store, tx => { app.enqueue(&ctx, tx, order()).await });
        queued?;
        for (role, watch) in &mut watches {
            let frame = watch.next().await.expect("an event");
            let cancel = &frame.data["job"]["actions"][0];
            assert_eq!(
                (frame.event.as_str(), &cancel["name"]),
                ("job.changed", &json!("cancel"))
            );
            assert_eq!(cancel["allowed"], json!(*role == Role::Admin), "{role:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_stream_resumes_after_the_number_it_is_told() {
    let server = TestServer::start().await;
    let token = server.token(Role::Viewer).await;
    publish(&server, "x", 5).await;
    let mut watch = Watch::open(&server, &token, "?cursor=3").await;
    assert_eq!(watch.next().await.expect("a hello").id, 3);
    assert_eq!(watch.next().await.expect("an event").id, 4);
    let call = server
        .get("/api/v1/events?cursor=1")
        .bearer(&token)
        .header("last-event-id", "4");
    let body = call.respond().await.into_body().into_data_stream();
    let mut watch = Watch {
        body,
        text: String::new(),
    };
    assert_eq!(
        watch.next().await.expect("a hello").id,
        4,
        "what a browser remembers goes before the address"
    );
    assert_eq!(watch.next().await.expect("an event").id, 5);
}

#[tokio::test]
async fn who_was_away_too_long_reads_everything_anew() -> anyhow::Result<()> {
    let server = TestServer::start().await;
    let token = server.token(Role::Viewer).await;
    publish(&server, "old", 5).await;
    server.clock.pass(Duration::from_secs(2 * 24 * 3600 + 1));
    publish(&server, "new", 1).await;
    assert_eq!(server.app.drop_old_events().await?, 5);
    for missed in ["?cursor=2", "?cursor=999"] {
        let mut watch = Watch::open(&server, &token, missed).await;
        watch.next().await.expect("a hello");
        publish(&server, "next", 1).await;
        let resync = watch.next().await.expect("a resync");
        assert_eq!(resync.event, "resync", "{missed}");
        publish(&server, "after", 1).await;
        let mut after = watch.next().await.expect("an event");
        if after.event == "next" {
            after = watch.next().await.expect("an event");
        }
        assert_eq!(after.event, "after");
    }
    let mut watch = Watch::open(&server, &token, "?cursor=5").await;
    watch.next().await.expect("a hello");
    assert_eq!(watch.next().await.expect("an event").event, "new", "nothing was missed");
    Ok(())
}

#[tokio::test]
async fn what_another_process_writes_arrives_too() -> anyhow::Result<()> {
    let server = TestServer::start().await;
    let token = server.token(Role::Viewer).await;
    let mut watch = Watch::open(&server, &token, "").await;
    watch.next().await.expect("a hello");
    let other = muster_store::Store::open(&server.database).await?;
    let done: Result<i64, StoreError> = muster_store::write!(other, tx => {
        tx.publish(muster_domain::Timestamp::from_micros(1), "from.afar", None, Value::Null).await
    });
    done?;
    assert_eq!(watch.next().await.expect("an event").event, "from.afar");
    Ok(())
}

#[tokio::test]
async fn streams_end_when_the_server_stops() {
    let server = TestServer::start().await;
    let token = server.token(Role::Viewer).await;
    let mut watch = Watch::open(&server, &token, "").await;
    watch.next().await.expect("a hello");
    server.app.lifecycle.stop();
    assert_eq!(watch.next().await, None);
}

#[tokio::test]
async fn a_stream_ends_with_the_token_that_opened_it() -> anyhow::Result<()> {
    let server = TestServer::start().await;
    let token = server.token(Role::Viewer).await;
    let id = server.app.tokens(&server.shell()).await?[0].id;
    let mut watch = Watch::open(&server, &token, "").await;
    watch.next().await.expect("a hello");
    server.app.revoke_token(&server.shell(), id).await?;
    assert_eq!(watch.next().await, None);
    Ok(())
}
