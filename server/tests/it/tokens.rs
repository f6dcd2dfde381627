//! API tokens: made by people, limited by them, ended at once.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use muster_domain::access::Role;
use serde_json::json;

use crate::harness::TestServer;

#[tokio::test]
async fn a_token_may_at_most_what_its_owner_may_now() {
    let server = TestServer::start().await;
    server.user("root", Role::Admin).await;
    let ada = server.user("ada", Role::Operator).await;
    let cookie = server.sign_in("ada").await;
    let create = |role: &str| {
        server
            .post("/api/v1/tokens", &json!({ "name": "ci", "role": role }))
            .browser(&cookie)
    };

    assert_eq!(create("admin").send().await.code(), "forbidden");
    let made = create("operator").send().await.expect(StatusCode::CREATED).json();
    let secret = made["secret"].as_str().expect("a secret");
    let me = async || server.get("/api/v1/session").bearer(secret).send().await.json()["user"].clone();
    assert_eq!(me().await["role"], "operator");

    let by_token = server
        .post("/api/v1/tokens", &json!({ "name": "more", "role": "viewer" }))
        .bearer(secret);
    assert_eq!(by_token.send().await.code(), "needs_a_person");

    let admin = server.token(Role::Admin).await;
    let lower = server
        .call(Method::PATCH, &format!("/api/v1/users/{}", ada.id))
        .json(&json!({ "role": "viewer" }));
    lower.bearer(&admin).send().await.expect(StatusCode::OK);
    assert_eq!(me().await["role"], "viewer");
    server
        .call(Method::DELETE, &format!("/api/v1/users/{}", ada.id))
        .bearer(&admin)
        .send()
        .await
        .expect(StatusCode::NO_CONTENT);
    assert!(me().await.is_null());
}

#[tokio::test]
async fn a_token_ends_by_itself_and_at_once_when_it_is_revoked() {
    let server = TestServer::start().await;
    server.user("ada", Role::Viewer).await;
    server.user("eve", Role::Viewer).await;
    let (ada, eve) = (server.sign_in("ada").await, server.sign_in("eve").await);
    let ends = (muster::clock::Clock::now(&*server.clock) + Duration::from_secs(60)).to_string();
    let body = json!({ "name": "ci", "role": "viewer", "expires_at": ends });
    let made = server
        .post("/api/v1/tokens", &body)
        .browser(&ada)
        .send()
        .await
        .expect(StatusCode::CREATED)
        .json();
    let secret = made["secret"].as_str().expect("a secret");
    let status = async || server.get("/api/v1/tokens").bearer(secret).send().await.status;
    server.clock.pass(Duration::from_secs(59));
    assert_eq!(
        status().await,
        StatusCode::CONFLICT,
        "a token is known, but manages no tokens"
    );
    server.clock.pass(Duration::from_secs(1));
    assert_eq!(status().await, StatusCode::UNAUTHORIZED);

    let body = json!({ "name": "ci", "role": "viewer" });
    let made = server.post("/api/v1/tokens", &body).browser(&ada).send().await.json();
    let path = format!("/api/v1/tokens/{}", made["token"]["id"].as_str().expect("an id"));
    let secret = made["secret"].as_str().expect("a secret");
    assert_eq!(
        server.call(Method::DELETE, &path).browser(&eve).send().await.code(),
        "not_found"
    );
    server
        .call(Method::DELETE, &path)
        .browser(&ada)
        .send()
        .await
        .expect(StatusCode::NO_CONTENT);
    assert_eq!(
        server.get("/api/v1/tokens").bearer(secret).send().await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn people_see_their_own_tokens_and_admins_all_and_nobody_a_secret() {
    let server = TestServer::start().await;
    server.user("root", Role::Admin).await;
    server.user("ada", Role::Viewer).await;
    let (root, ada) = (server.sign_in("root").await, server.sign_in("ada").await);
    let mut secrets = Vec::new();
    for cookie in [&root, &ada] {
        let made = server
            .post("/api/v1/tokens", &json!({ "name": "ci", "role": "viewer" }))
            .browser(cookie)
            .send()
            .await;
        secrets.push(made.json()["secret"].as_str().expect("a secret").to_owned());
    }
    let list = async |cookie: &str| server.get("/api/v1/tokens").browser(cookie).send().await;
    let (all, own) = (list(&root).await, list(&ada).await);
    assert_eq!(all.json()["items"].as_array().map(Vec::len), Some(2));
    assert_eq!(own.json()["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(own.json()["items"][0]["owner"], "ada");
    for secret in secrets {
        let (_, secret) = secret.rsplit_once('_').expect("an id and a secret");
        assert!(!all.text.contains(secret));
    }
}

#[tokio::test]
async fn the_use_of_a_token_is_noted_once_a_minute() -> anyhow::Result<()> {
    let server = TestServer::start().await;
    let token = server.token(Role::Viewer).await;
    let id = server.app.tokens(&server.shell()).await?[0].id;
    let used = async || -> anyhow::Result<Option<i64>> {
        server
            .get("/api/v1/session")
            .bearer(&token)
            .send()
            .await
            .expect(StatusCode::OK);
        Ok(server
            .app
            .store
            .read()
            .await?
            .token(id)
            .await?
            .and_then(|row| row.last_used_at))
    };
    let first = used().await?;
    assert!(first.is_some());
    server.clock.pass(Duration::from_secs(59));
    assert_eq!(used().await?, first);
    server.clock.pass(Duration::from_secs(1));
    assert!(used().await? > first);
    Ok(())
}
