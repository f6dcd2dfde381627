//! First setup, signing in and out, and what a cookie may do.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use muster_domain::access::Role;
use serde_json::{Value, json};

use crate::harness::{PASSWORD, TestServer};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn secret_of(link: &str) -> &str {
    link.rsplit_once('=').expect("a link ends in its secret").1
}

#[tokio::test]
async fn the_setup_link_makes_the_first_admin_once() -> anyhow::Result<()> {
    let server = TestServer::start().await;
    let before = server.get("/api/v1/session").send().await.json();
    assert_eq!((&before["setup_needed"], &before["user"]), (&json!(true), &Value::Null));

    let old = server.app.setup_link().await?.expect("nobody is there");
    let link = server.app.setup_link().await?.expect("nobody is there");
    assert!(link.starts_with("http://127.0.0.1:8080/setup#token="), "{}", *link);
    let body = |link: &str| json!({ "token": secret_of(link), "name": "ada", "password": PASSWORD });
    assert_eq!(
        server.post("/api/v1/setup", &body(&old)).send().await.code(),
        "setup_link_invalid"
    );

    let done = server
        .post("/api/v1/setup", &body(&link))
        .send()
        .await
        .expect(StatusCode::CREATED);
    let seen = server
        .get("/api/v1/session")
        .browser(&done.cookie())
        .send()
        .await
        .json();
    assert_eq!(seen["user"]["name"], "ada");
    assert_eq!(seen["user"]["role"], "admin");
    assert_eq!(seen["setup_needed"], false);

    assert_eq!(
        server.post("/api/v1/setup", &body(&link)).send().await.code(),
        "setup_link_invalid"
    );
    assert!(server.app.setup_link().await?.is_none());
    Ok(())
}

#[tokio::test]
async fn a_setup_link_ends_after_a_day() -> anyhow::Result<()> {
    let server = TestServer::start().await;
    let link = server.app.setup_link().await?.expect("nobody is there");
    server.clock.pass(DAY);
    let body = json!({ "token": secret_of(&link), "name": "ada", "password": PASSWORD });
    assert_eq!(
        server.post("/api/v1/setup", &body).send().await.code(),
        "setup_link_invalid"
    );
    Ok(())
}

#[tokio::test]
async fn a_session_ends_by_signing_out_by_idling_and_by_age() {
    let server = TestServer::start().await;
    server.user("ada", Role::Viewer).await;
    let user = async |cookie: &str| server.get("/api/v1/session").browser(cookie).send().await.json()["user"].clone();

    let cookie = server.sign_in("Ada").await;
    assert_eq!(user(&cookie).await["name"], "ada");
    let out = server
        .call(Method::DELETE, "/api/v1/session")
        .browser(&cookie)
        .send()
        .await;
    assert_eq!(out.status, StatusCode::NO_CONTENT);
    assert!(
        out.header("set-cookie")
            .expect("clears the cookie")
            .contains("Max-Age=0")
    );
    assert_eq!(user(&cookie).await, Value::Null);

    let cookie = server.sign_in("ada").await;
    server.clock.pass(DAY * 7);
    assert_eq!(user(&cookie).await, Value::Null, "idle for a week");

    let cookie = server.sign_in("ada").await;
    for _ in 0..5 {
        server.clock.pass(DAY * 6 - Duration::from_secs(1));
        assert_eq!(user(&cookie).await["name"], "ada");
    }
    server.clock.pass(Duration::from_secs(5));
    assert_eq!(user(&cookie).await, Value::Null, "thirty days old");
}

#[tokio::test]
async fn a_cookie_is_closed_to_scripts_and_other_sites() {
    let server = TestServer::start().await;
    server.user("ada", Role::Admin).await;
    let body = json!({ "name": "ada", "password": PASSWORD });
    let plain = server.post("/api/v1/session", &body).send().await;
    let set = plain.header("set-cookie").expect("a cookie");
    assert!(
        set.contains("HttpOnly") && set.contains("SameSite=Strict") && !set.contains("Secure"),
        "{set}"
    );

    let cookie = plain.cookie();
    let new = json!({ "name": "eve", "role": "viewer" });
    let cross = server
        .post("/api/v1/users", &new)
        .header("cookie", &cookie)
        .header("sec-fetch-site", "cross-site");
    assert_eq!(cross.send().await.code(), "cross_site");
    let silent = server.post("/api/v1/users", &new).header("cookie", &cookie);
    assert_eq!(silent.send().await.code(), "cross_site");
    server
        .post("/api/v1/users", &new)
        .browser(&cookie)
        .send()
        .await
        .expect(StatusCode::CREATED);
}

#[tokio::test]
async fn behind_a_trusted_proxy_with_https_the_cookie_is_secure() {
    let config = muster::config::Config {
        trusted_proxies: vec!["10.0.0.0/8".parse().expect("a network")],
        ..Default::default()
    };
    let server = TestServer::with(config).await;
    server.user("ada", Role::Admin).await;
    let body = json!({ "name": "ada", "password": PASSWORD });
    let call = server
        .post("/api/v1/session", &body)
        .from("10.0.0.1")
        .header("x-forwarded-proto", "https");
    assert!(
        call.send()
            .await
            .header("set-cookie")
            .expect("a cookie")
            .contains("Secure")
    );
}

#[tokio::test]
async fn who_fails_often_waits_and_others_do_not() {
    let server = TestServer::start().await;
    server.user("ada", Role::Viewer).await;
    let wrong = json!({ "name": "ada", "password": "wrong wrong wrong" });
    let right = json!({ "name": "ADA", "password": PASSWORD });
    for _ in 0..6 {
        assert_eq!(
            server.post("/api/v1/session", &wrong).send().await.code(),
            "wrong_credentials"
        );
    }
    let limited = server
        .post("/api/v1/session", &right)
        .send()
        .await
        .expect(StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(limited.code(), "too_many_tries");
    assert_eq!(limited.header("retry-after"), Some("3"));
    server
        .post("/api/v1/session", &right)
        .from("192.0.2.9")
        .send()
        .await
        .expect(StatusCode::OK);
    server.clock.pass(Duration::from_secs(3));
    server
        .post("/api/v1/session", &right)
        .send()
        .await
        .expect(StatusCode::OK);
    assert_eq!(
        server.post("/api/v1/session", &wrong).send().await.code(),
        "wrong_credentials",
        "counted anew"
    );
}

#[tokio::test]
async fn who_guesses_a_name_from_many_addresses_costs_others_a_short_wait() {
    let server = TestServer::start().await;
    server.user("ada", Role::Viewer).await;
    let try_as = async |password: &str, address: &str| {
        let body = json!({ "name": "ada", "password": password });
        server.post("/api/v1/session", &body).from(address).send().await
    };
    for number in 0..50 {
        let guess = try_as("wrong wrong wrong", &format!("198.51.100.{number}")).await;
        assert_eq!(guess.code(), "wrong_credentials");
    }
    let limited = try_as(PASSWORD, "192.0.2.9")
        .await
        .expect(StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(limited.header("retry-after"), Some("11"));
    server.clock.pass(Duration::from_secs(10));
    try_as("wrong wrong wrong", "198.51.100.200")
        .await
        .expect(StatusCode::TOO_MANY_REQUESTS);
    try_as(PASSWORD, "192.0.2.9").await.expect(StatusCode::OK);
}

#[tokio::test]
async fn who_tries_many_names_from_one_address_waits_and_other_addresses_do_not() {
    let server = TestServer::start().await;
    server.user("ada", Role::Viewer).await;
    let try_as = async |name: &str, password: &str, address: &str| {
        let body = json!({ "name": name, "password": password });
        server.post("/api/v1/session", &body).from(address).send().await
    };
    // Right ones in between change nothing.
    for number in 0..31 {
        let guess = try_as(&format!("name-{number}"), "wrong wrong wrong", "2001:db8::1").await;
        assert_eq!(guess.code(), "wrong_credentials");
        if number == 10 {
            try_as("ada", PASSWORD, "2001:db8::1").await.expect(StatusCode::OK);
        }
    }
    let limited = try_as("ada", PASSWORD, "2001:db8::ffff")
        .await
        .expect(StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(limited.header("retry-after"), Some("3"), "of the same network");
    try_as("ada", PASSWORD, "2001:db8:0:1::1").await.expect(StatusCode::OK);
    server.clock.pass(Duration::from_secs(2));
    try_as("ada", PASSWORD, "2001:db8::1").await.expect(StatusCode::OK);
}

#[tokio::test]
async fn a_name_that_is_nobodys_looks_like_a_wrong_password() {
    let server = TestServer::start().await;
    server.user("ada", Role::Viewer).await;
    let answer = async |name: &str| {
        let body = json!({ "name": name, "password": "wrong wrong wrong" });
        let mut problem = server.post("/api/v1/session", &body).send().await.json();
        problem["request_id"].take();
        problem
    };
    assert_eq!(answer("ada").await, answer("nobody").await);
}

#[tokio::test]
async fn a_sign_in_link_works_once() -> anyhow::Result<()> {
    let server = TestServer::start().await;
    let ada = server.user("ada", Role::Viewer).await;
    let link = server.app.sign_in_link(&server.shell(), ada.id).await?;
    assert!(link.starts_with("http://127.0.0.1:8080/sign-in#link="), "{}", *link);
    let body = json!({ "link": secret_of(&link) });
    let cookie = server
        .post("/api/v1/session", &body)
        .send()
        .await
        .expect(StatusCode::OK)
        .cookie();
    let seen = server.get("/api/v1/session").browser(&cookie).send().await.json();
    assert_eq!(seen["user"]["name"], "ada");
    assert_eq!(
        server.post("/api/v1/session", &body).send().await.code(),
        "link_invalid"
    );
    Ok(())
}
