use std::fs;
use std::os::unix::fs::PermissionsExt;

use anyhow::Result;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use muster_agent::connect::Trust;
use muster_agent::identity::Identity;
use muster_agent::{EnrolError, Enrolment, StateDir, enrol};
use muster_protocol::PROTOCOL_VERSION;
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

use crate::guest::{Guest, TestHost};
use crate::server::TestServer;

async fn try_enrol(state: &StateDir, server: &TestServer, token: &str) -> Result<Result<Enrolment, EnrolError>> {
    let host = TestHost::default();
    Ok(enrol(
        state,
        &host,
        server.server(Trust::WellKnown)?,
        server.server_key()?,
        token,
    )
    .await)
}

fn used_token() -> Value {
    json!({ "type": "about:blank", "title": "Gone", "status": 410, "code": "token_used", "detail": "This token was used." })
}

#[tokio::test]
async fn a_token_becomes_an_identity_that_only_root_can_read() -> Result<()> {
    let server = TestServer::start().await?;
    let folder = TempDir::new()?;
    let state = StateDir::open(folder.path().join("deep/state"))?;
    let id = Uuid::new_v4();
    let (enrolled, request) = tokio::try_join!(
        try_enrol(&state, &server, "one-time"),
        server.enrolment("200 OK", server.granted(id))
    )?;
    assert_eq!(enrolled?, Enrolment::New(id));
    assert_eq!(
        (request.token.as_str(), request.protocol),
        ("one-time", PROTOCOL_VERSION)
    );
    assert_eq!(request.facts.arch, std::env::consts::ARCH);

    let identity = Identity::load(&state)?.expect("stored");
    assert_eq!((identity.agent, identity.key.public()), (id, request.public_key));
    let mode = |path| Ok::<_, std::io::Error>(fs::metadata(path)?.permissions().mode() & 0o777);
    assert_eq!(mode(state.path().to_owned())?, 0o700);
    assert_eq!(mode(state.path().join("identity.json"))?, 0o600);
    assert!(
        !format!("{identity:?}").contains(&String::from(identity.key)),
        "the key is not shown"
    );
    Ok(())
}

#[tokio::test]
async fn an_answer_that_got_lost_is_asked_for_again_with_the_same_key() -> Result<()> {
    let server = TestServer::start().await?;
    let folder = TempDir::new()?;
    let state = StateDir::open(folder.path())?;
    let (lost, first) = tokio::try_join!(try_enrol(&state, &server, "a"), server.enrolment_without_answer())?;
    assert!(matches!(lost, Err(EnrolError::Connect(_))), "{lost:?}");
    let answer = server.granted(Uuid::new_v4());
    let (again, second) = tokio::try_join!(
        try_enrol(&state, &server, "a"),
        server.enrolment("200 OK", answer.clone())
    )?;
    assert!(matches!(again, Ok(Enrolment::New(_))));
    assert_eq!(first.public_key, second.public_key);
    let (other, third) = tokio::try_join!(try_enrol(&state, &server, "b"), server.enrolment("200 OK", answer))?;
    assert!(matches!(other, Ok(Enrolment::New(_))));
    assert_ne!(second.public_key, third.public_key, "a new token is a new agent");
    Ok(())
}

#[tokio::test]
async fn a_used_token_keeps_an_identity_that_is_still_let_in() -> Result<()> {
    let server = TestServer::start().await?;
    let guest = Guest::enrolled(&server).await?;
    let state = guest.state()?;
    let serve = async {
        server.enrolment("410 Gone", used_token()).await?;
        server.welcomed(&guest.key, 5).await
    };
    let (kept, _) = tokio::try_join!(try_enrol(&state, &server, "used"), serve)?;
    assert_eq!(kept?, Enrolment::Kept(guest.id));
    Ok(())
}

#[tokio::test]
async fn a_used_token_and_no_identity_is_a_refusal_in_the_servers_words() -> Result<()> {
    let server = TestServer::start().await?;
    let folder = TempDir::new()?;
    let state = StateDir::open(folder.path())?;
    let (refused, _) = tokio::try_join!(
        try_enrol(&state, &server, "used"),
        server.enrolment("410 Gone", used_token())
    )?;
    let said = refused.expect_err("refused").to_string();
    assert_eq!(said, "Muster refused the enrolment: This token was used.");
    assert!(Identity::load(&state)?.is_none());
    Ok(())
}

#[tokio::test]
async fn a_server_with_another_key_is_not_obeyed() -> Result<()> {
    let server = TestServer::start().await?;
    let folder = TempDir::new()?;
    let state = StateDir::open(folder.path())?;
    let answer = json!({ "agent": Uuid::new_v4(), "server_key": STANDARD.encode([1; 32]) });
    let (enrolled, _) = tokio::try_join!(try_enrol(&state, &server, "a"), server.enrolment("200 OK", answer))?;
    assert!(matches!(enrolled, Err(EnrolError::WrongServer(..))), "{enrolled:?}");
    assert!(Identity::load(&state)?.is_none());
    Ok(())
}

#[tokio::test]
async fn a_closed_port_is_said_in_words_to_check() -> Result<()> {
    let server = TestServer::start().await?;
    let folder = TempDir::new()?;
    let state = StateDir::open(folder.path())?;
    let (place, key) = (server.server(Trust::WellKnown)?, server.server_key()?);
    let url = server.url()?;
    drop(server);
    let refused = enrol(&state, &TestHost::default(), place, key, "a")
        .await
        .expect_err("nobody listens");
    let said = refused.to_string();
    assert!(
        said.starts_with(&format!("cannot reach {url}: ")) && said.ends_with("connection refused"),
        "{said}"
    );
    Ok(())
}
