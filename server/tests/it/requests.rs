//! What holds for every request: problems, tags, keys, limits.

use axum::http::{Method, StatusCode};
use muster_domain::access::Role;
use serde_json::{Value, json};

use crate::harness::TestServer;

#[tokio::test]
async fn every_error_is_a_problem_with_the_request_id() {
    let server = TestServer::start().await;
    let token = server.token(Role::Admin).await;
    let user = json!({ "name": "eve", "role": "viewer" });
    let large = "x".repeat(1024 * 1024 + 1);
    let cases = [
        (server.get("/api/nowhere"), 404, "no_such_route"),
        (server.call(Method::PUT, "/api/v1/users"), 405, "method_not_allowed"),
        (server.get("/api/v1/users"), 401, "sign_in_needed"),
        (
            server
                .post("/api/v1/users", &user)
                .bearer(&token)
                .header("idempotency-key", ""),
            400,
            "bad_request",
        ),
        (
            server.call(Method::POST, "/api/v1/users").bearer(&token).body("{}"),
            415,
            "unsupported_media_type",
        ),
        (
            server.post("/api/v1/users", &json!({})).bearer(&token).body("{"),
            400,
            "invalid_json",
        ),
        (
            server.post("/api/v1/users", &json!({})).bearer(&token).body(large),
            413,
            "body_too_large",
        ),
        (
            server.post("/api/v1/users", &json!({ "name": "" })).bearer(&token),
            422,
            "invalid",
        ),
        (
            server.call(Method::DELETE, "/api/v1/users/nonsense").bearer(&token),
            404,
            "not_found",
        ),
        (server.get("/api/v1/audit?limit=x").bearer(&token), 400, "invalid_query"),
        (server.get("/api/v1/audit?cursor=x").bearer(&token), 422, "invalid"),
    ];
    for (call, status, code) in cases {
        let answer = call.send().await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (status, code),
            "{answer:?}"
        );
        let problem = answer.json();
        assert_eq!(problem["status"], status);
        assert_eq!(problem["request_id"].as_str(), answer.header("x-request-id"));
        assert_eq!(problem["type"], format!("urn:muster:problem:{code}"));
        assert!(!problem["title"].as_str().unwrap_or_default().is_empty());
    }
}

#[tokio::test]
async fn a_wrong_field_is_named() {
    let server = TestServer::start().await;
    let token = server.token(Role::Admin).await;
    let answer = server
        .post("/api/v1/users", &json!({ "name": "eve", "role": "king" }))
        .bearer(&token)
        .send()
        .await;
    assert_eq!(answer.json()["errors"][0]["pointer"], "/role");
}

#[tokio::test]
async fn what_has_not_changed_is_not_sent_again() {
    let server = TestServer::start().await;
    let token = server.token(Role::Admin).await;
    let first = server
        .get("/api/v1/users")
        .bearer(&token)
        .send()
        .await
        .expect(StatusCode::OK);
    let tag = first.header("etag").expect("a tag").to_owned();
    let again = server
        .get("/api/v1/users")
        .bearer(&token)
        .header("if-none-match", &tag)
        .send()
        .await;
    assert_eq!((again.status, again.text.as_str()), (StatusCode::NOT_MODIFIED, ""));
    server.user("eve", Role::Viewer).await;
    let changed = server
        .get("/api/v1/users")
        .bearer(&token)
        .header("if-none-match", &tag)
        .send()
        .await;
    assert_eq!(changed.status, StatusCode::OK);
}

#[tokio::test]
async fn a_change_sent_twice_with_one_key_is_made_once() {
    let server = TestServer::start().await;
    let (token, other) = (server.token(Role::Admin).await, server.token(Role::Admin).await);
    let eve = json!({ "name": "eve", "role": "viewer" });
    let add = |token: &str, body: &Value| {
        server
            .post("/api/v1/users", body)
            .bearer(token)
            .header("idempotency-key", "k1")
    };

    let first = add(&token, &eve).send().await.expect(StatusCode::CREATED);
    let again = add(&token, &eve).send().await.expect(StatusCode::CREATED);
    assert_eq!(first.text, again.text);
    assert_eq!(first.header("content-type"), again.header("content-type"));
    assert_eq!(again.header("idempotency-replayed"), Some("true"));

    let changed = add(&token, &json!({ "name": "eva", "role": "viewer" })).send().await;
    assert_eq!(
        (changed.status.as_u16(), changed.code().as_str()),
        (422, "idempotency_key_reused")
    );
    assert_eq!(
        add(&other, &eve).send().await.code(),
        "name_taken",
        "another caller's keys are its own"
    );

    server.clock.pass(std::time::Duration::from_secs(24 * 3600 + 1));
    assert_eq!(
        add(&token, &eve).send().await.code(),
        "name_taken",
        "after a day the key is new"
    );
}

#[tokio::test]
async fn a_refused_change_does_not_use_its_key_up() {
    let server = TestServer::start().await;
    let token = server.token(Role::Admin).await;
    let add = |body: &Value| {
        server
            .post("/api/v1/users", body)
            .bearer(&token)
            .header("idempotency-key", "k1")
    };
    add(&json!({ "name": "", "role": "viewer" }))
        .send()
        .await
        .expect(StatusCode::UNPROCESSABLE_ENTITY);
    add(&json!({ "name": "eve", "role": "viewer" }))
        .send()
        .await
        .expect(StatusCode::CREATED);
}

#[tokio::test]
async fn a_kept_answer_is_sealed() -> anyhow::Result<()> {
    let server = TestServer::start().await;
    server.user("ada", Role::Admin).await;
    let cookie = server.sign_in("ada").await;
    let body = json!({ "name": "ci", "role": "viewer" });
    let create = || {
        server
            .post("/api/v1/tokens", &body)
            .browser(&cookie)
            .header("idempotency-key", "k1")
    };
    let first = create().send().await.expect(StatusCode::CREATED);
    assert_eq!(
        create().send().await.text,
        first.text,
        "the secret can be read again by whoever lost the first answer"
    );
    let secret = first.json()["secret"].as_str().expect("a secret").to_owned();
    let (_, secret) = secret.rsplit_once('_').expect("an id and a secret");
    let caller = format!(
        "user:{}",
        server.get("/api/v1/session").browser(&cookie).send().await.json()["user"]["id"]
            .as_str()
            .expect("an id")
    );
    let kept = server
        .app
        .store
        .read()
        .await?
        .kept_answer(&caller, "k1")
        .await?
        .expect("is kept");
    let sealed = String::from_utf8_lossy(kept.sealed.as_deref().expect("has an answer")).into_owned();
    assert!(!sealed.contains(secret));
    Ok(())
}

#[tokio::test]
async fn the_system_page_names_the_loops_and_how_they_are() {
    let server = TestServer::start().await;
    let token = server.token(Role::Viewer).await;
    let (works, fails) = (muster::lifecycle::Kick::default(), muster::lifecycle::Kick::default());
    let day = std::time::Duration::from_secs(24 * 3600);
    server
        .app
        .lifecycle
        .every("works", day, works.clone(), || async { Ok("did it".to_owned()) });
    server
        .app
        .lifecycle
        .every("fails", day, fails.clone(), || async { anyhow::bail!("cannot") });
    let mut loops = Vec::new();
    while loops.len() < 2 || loops.iter().any(|status: &Value| status["runs"] == 0) {
        let system = server.get("/api/v1/system").bearer(&token).send().await.json();
        let database = json!(server.app.store.kind());
        assert_eq!((&system["database"], &system["agent_url"]), (&database, &Value::Null));
        loops = system["reconcilers"].as_array().cloned().unwrap_or_default();
        tokio::task::yield_now().await;
    }
    let seen: Vec<_> = loops
        .iter()
        .map(|status| (&status["name"], &status["state"], &status["detail"]))
        .collect();
    let (ok, failed) = (json!("ok"), json!("failed"));
    assert_eq!(seen[0], (&json!("works"), &ok, &json!("did it")));
    assert_eq!(seen[1], (&json!("fails"), &failed, &json!("cannot")));
}

#[tokio::test]
async fn every_answer_tells_browsers_what_they_may_do() {
    let server = TestServer::start().await;
    for path in ["/", "/healthz", "/api/nowhere"] {
        let answer = server.get(path).send().await;
        let policy = answer.header("content-security-policy").expect("a policy");
        assert!(
            policy.contains("default-src 'none'") && !policy.contains("unsafe"),
            "{policy}"
        );
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
    }
}

#[tokio::test]
async fn pages_of_the_dashboard_are_one_page_and_files_are_files() {
    let server = TestServer::start().await;
    let page = server.get("/guests/some-id").send().await.expect(StatusCode::OK);
    assert_eq!(page.header("content-type"), Some("text/html"));
    assert_eq!(page.header("cache-control"), Some("no-cache"));
    assert_eq!(page.text, server.get("/").send().await.text);
    assert_eq!(server.get("/assets/gone-123.js").send().await.code(), "no_such_route");
    assert_eq!(server.get("/../Cargo.toml").send().await.code(), "no_such_route");
    assert_eq!(
        server.call(Method::POST, "/guests").send().await.code(),
        "no_such_route"
    );
}

#[tokio::test]
async fn large_answers_are_compressed_and_streams_are_not() {
    let server = TestServer::start().await;
    let token = server.token(Role::Admin).await;
    for n in 0..20 {
        server.named(&format!("person {n}")).await;
    }
    let head = async |path: &str| {
        let call = server.get(path).bearer(&token).header("accept-encoding", "gzip");
        call.respond().await.headers().get("content-encoding").cloned()
    };
    assert_eq!(head("/api/v1/users").await, Some("gzip".parse().expect("a value")));
    assert_eq!(head("/api/v1/events").await, None);
}
