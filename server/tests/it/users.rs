//! Accounts: who may change what, and the last admin. Settings and the audit log that tells of them.

use axum::http::{Method, StatusCode};
use muster_domain::access::Role;
use serde_json::{Value, json};

use crate::harness::{PASSWORD, TestServer};

#[tokio::test]
async fn the_last_admin_stays_an_admin() {
    let server = TestServer::start().await;
    let ada = server.user("ada", Role::Admin).await;
    let cookie = server.sign_in("ada").await;
    let path = format!("/api/v1/users/{}", ada.id);
    let remove = async || server.call(Method::DELETE, &path).browser(&cookie).send().await;
    let demote = async || {
        server
            .call(Method::PATCH, &path)
            .json(&json!({ "role": "viewer" }))
            .browser(&cookie)
            .send()
            .await
    };
    assert_eq!(remove().await.code(), "last_admin");
    assert_eq!(demote().await.code(), "last_admin");
    server.user("eve", Role::Admin).await;
    demote().await.expect(StatusCode::OK);
    assert_eq!(remove().await.code(), "forbidden");
}

#[tokio::test]
async fn people_set_their_own_password_and_nothing_else() {
    let server = TestServer::start().await;
    let ada = server.user("ada", Role::Viewer).await;
    let eve = server.user("eve", Role::Viewer).await;
    let cookie = server.sign_in("ada").await;
    let change = async |id: &str, body: Value| {
        let call = server.call(Method::PATCH, &format!("/api/v1/users/{id}")).json(&body);
        call.browser(&cookie).send().await
    };
    let (ada, eve) = (ada.id.to_string(), eve.id.to_string());
    assert_eq!(
        change(&eve, json!({ "password": "another password" })).await.code(),
        "forbidden"
    );
    assert_eq!(change(&ada, json!({ "role": "admin" })).await.code(), "forbidden");
    assert_eq!(
        change(&ada, json!({ "password": "short" })).await.json()["errors"][0]["pointer"],
        "/password"
    );
    change(&ada, json!({ "password": "another password" }))
        .await
        .expect(StatusCode::OK);

    let seen = server.get("/api/v1/session").browser(&cookie).send().await.json();
    assert!(seen["user"].is_null(), "a new password ends all sessions");
    let with = |password: &str| server.post("/api/v1/session", &json!({ "name": "ada", "password": password }));
    assert_eq!(with(PASSWORD).send().await.code(), "wrong_credentials");
    with("another password").send().await.expect(StatusCode::OK);
}

#[tokio::test]
async fn a_name_is_taken_in_any_case() {
    let server = TestServer::start().await;
    let token = server.token(Role::Admin).await;
    server.user("Ada", Role::Viewer).await;
    let eve = server.user("eve", Role::Viewer).await;
    let again = server
        .post("/api/v1/users", &json!({ "name": "aDA", "role": "viewer" }))
        .bearer(&token);
    assert_eq!(again.send().await.code(), "name_taken");
    let rename = server
        .call(Method::PATCH, &format!("/api/v1/users/{}", eve.id))
        .json(&json!({ "name": "ADA" }));
    assert_eq!(rename.bearer(&token).send().await.code(), "name_taken");
}

#[tokio::test]
async fn settings_have_defaults_change_and_are_audited() {
    let server = TestServer::start().await;
    let token = server.token(Role::Admin).await;
    let read = async || server.get("/api/v1/settings").bearer(&token).send().await.json();
    let defaults = json!({ "jobs_days": 90, "log_days": 30, "audit_days": 365, "discovery_days": 30 });
    let all = json!({ "agent_url": null, "scan_every_minutes": 360, "retention": defaults });
    assert_eq!(read().await, all);
    let change = async |body: Value| {
        server
            .call(Method::PATCH, "/api/v1/settings")
            .json(&body)
            .bearer(&token)
            .send()
            .await
    };

    assert_eq!(
        change(json!({ "agent_url": "ftp://x" })).await.json()["errors"][0]["pointer"],
        "/agent_url"
    );
    let zero = json!({ "retention": { "jobs_days": 0, "log_days": 1, "audit_days": 1, "discovery_days": 1 } });
    assert_eq!(
        change(zero).await.json()["errors"][0]["pointer"],
        "/retention/jobs_days"
    );
    let never = change(json!({ "scan_every_minutes": 0 })).await.json();
    assert_eq!(never["errors"][0]["pointer"], "/scan_every_minutes");
    change(json!({ "agent_url": "http://192.168.1.5:8080" }))
        .await
        .expect(StatusCode::OK);
    assert_eq!(read().await["agent_url"], "http://192.168.1.5:8080/");
    assert_eq!(read().await["retention"], defaults, "what is left out stays");
    change(json!({ "agent_url": null })).await.expect(StatusCode::OK);
    assert!(read().await["agent_url"].is_null());

    let log = server.get("/api/v1/audit?limit=1").bearer(&token).send().await.json();
    assert_eq!(log["items"][0]["action"], "settings.change");
    assert_eq!(log["items"][0]["actor"]["kind"], "token");
    assert_eq!(log["items"][0]["detail"]["after"]["agent_url"], Value::Null);
    let next = log["next"].as_str().expect("there are older entries");
    let older = server
        .get(&format!("/api/v1/audit?limit=1000&cursor={next}"))
        .bearer(&token)
        .send()
        .await
        .json();
    assert_eq!(older["items"].as_array().map(Vec::len), Some(2), "{older}");
    assert!(older.get("next").is_none());
}

#[tokio::test]
async fn old_audit_entries_go_when_the_setting_says() -> anyhow::Result<()> {
    let server = TestServer::start().await;
    let token = server.token(Role::Admin).await;
    let day = std::time::Duration::from_secs(24 * 3600);
    server.clock.pass(day * 365);
    assert_eq!(server.app.drop_old_audit().await?, 0);
    server.clock.pass(std::time::Duration::from_secs(1));
    assert_eq!(server.app.drop_old_audit().await?, 1);
    let log = server.get("/api/v1/audit").bearer(&token).send().await.json();
    assert_eq!(log["items"], json!([]));
    Ok(())
}
