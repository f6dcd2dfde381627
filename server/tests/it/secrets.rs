//! What is secret stays out of logs, answers and the database file.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::program::Place;

const PASSWORD: &str = "a-password-that-is-nowhere-else";
const PVE_SECRET: &str = "5ec2e7aa-1111-4222-8333-c0ffee123456";

/// The text as it is, in hexadecimal, and in base64 wherever it may start within three bytes.
fn forms(secret: &str) -> Vec<String> {
    let mut forms = vec![secret.to_owned(), hex::encode(secret), hex::encode_upper(secret)];
    for skip in 0..3 {
        let whole = (secret.len() - skip) / 3 * 3;
        let part = &secret[skip..skip + whole];
        forms.push(STANDARD_NO_PAD.encode(part));
        forms.push(URL_SAFE_NO_PAD.encode(part));
    }
    forms
}

fn holds(text: &str, secret: &str) -> bool {
    forms(secret).iter().any(|form| text.contains(form.as_str()))
}

#[test]
fn the_search_finds_every_form() {
    for prefix in ["", "a", "ab"] {
        let text = format!("{prefix}{PVE_SECRET}xyz");
        assert!(holds(&STANDARD_NO_PAD.encode(&text), PVE_SECRET), "{prefix}");
    }
    assert!(holds(&hex::encode(PVE_SECRET), PVE_SECRET));
    assert!(!holds("something else", PVE_SECRET));
}

#[tokio::test]
async fn no_secret_is_logged_answered_or_stored_in_the_clear() -> anyhow::Result<()> {
    let place = Place::with_key();
    place.succeeds_with(&["user", "add", "ada", "--role", "admin"], &format!("{PASSWORD}\n"));
    let mut serving = place.serve(&[("MUSTER_LOG", "trace"), ("MUSTER_LOG_FORMAT", "json")]);
    serving.logs("Muster is serving");
    let log = serving.log();
    let line = log
        .lines()
        .find(|line| line.contains("Muster is serving"))
        .expect("was logged");
    let base = format!(
        "http://{}",
        serde_json::from_str::<Value>(line)?["address"]
            .as_str()
            .expect("an address")
    );

    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().build()?;
    let mut answers = String::new();
    let post = async |path: &str, cookie: &str, body: Value| -> anyhow::Result<(String, String)> {
        let request = client.post(format!("{base}{path}")).json(&body);
        let request = request.header("cookie", cookie).header("sec-fetch-site", "same-origin");
        let answer = request.header("idempotency-key", "one").send().await?;
        let set = answer
            .headers()
            .get("set-cookie")
            .and_then(|set| set.to_str().ok())
            .unwrap_or_default();
        let cookie = set.split(';').next().unwrap_or_default().to_owned();
        Ok((cookie, answer.text().await?))
    };
    let (cookie, text) = post("/api/v1/session", "", json!({ "name": "ada", "password": PASSWORD })).await?;
    answers.push_str(&text);
    let (_, wrong) = post(
        "/api/v1/session",
        "",
        json!({ "name": PASSWORD, "password": PVE_SECRET }),
    )
    .await?;
    answers.push_str(&wrong);
    let (_, made) = post("/api/v1/tokens", &cookie, json!({ "name": "ci", "role": "viewer" })).await?;
    let token: Value = serde_json::from_str(&made)?;
    let token = token["secret"].as_str().expect("a secret").to_owned();
    let cluster = json!({
        "name": "lab", "endpoints": ["https://127.0.0.1:1"], "token_id": "muster@pve!main", "token_secret": PVE_SECRET,
        "tls": { "mode": "system" },
    });
    for path in ["/api/v1/proxmox/clusters/test", "/api/v1/proxmox/clusters"] {
        answers.push_str(&post(path, &cookie, cluster.clone()).await?.1);
    }
    for path in [
        "/api/v1/proxmox/clusters",
        "/api/v1/tokens",
        "/api/v1/users",
        "/api/v1/audit",
        "/metrics",
    ] {
        let answer = client
            .get(format!("{base}{path}?secret={token}"))
            .bearer_auth(&token)
            .send()
            .await?;
        answers.push_str(&answer.text().await?);
    }

    let log = serving.stop();
    let session = cookie.split_once('=').expect("a value").1.to_owned();
    let (_, token) = token.rsplit_once('_').expect("a secret");
    for secret in [PVE_SECRET, PASSWORD, &session, token] {
        assert!(!holds(&log, secret), "{secret} is in the log");
        assert!(!holds(&answers, secret), "{secret} is in an answer");
    }
    let mut stored = String::new();
    for name in ["muster.db", "muster.db-wal"] {
        stored.push_str(&String::from_utf8_lossy(
            &std::fs::read(place.path(name)).unwrap_or_default(),
        ));
    }
    for secret in [PVE_SECRET, PASSWORD, &session, token] {
        assert!(!stored.contains(secret), "{secret} is in the database");
    }
    Ok(())
}
