use std::sync::Arc;

use anyhow::Result;
use muster_agent::connect::Trust;
use muster_agent::{EnrolError, Enrolment, StateDir, enrol};
use rustls::crypto::ring;
use rustls_pki_types::PrivateKeyDer;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use uuid::Uuid;

use crate::guest::TestHost;
use crate::server::TestServer;

/// A server with a certificate of its own making; gives the certificate as PEM and its SHA-256.
async fn start() -> Result<(TestServer, String, String)> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).map_err(anyhow::Error::msg)?;
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)?;
    let sha256 = hex::encode(Sha256::digest(made.cert.der()));
    Ok((TestServer::start_tls(config).await?, made.cert.pem(), sha256))
}

async fn try_enrol(server: &TestServer, trust: Trust) -> Result<Result<Enrolment, EnrolError>> {
    let folder = TempDir::new()?;
    let state = StateDir::open(folder.path())?;
    Ok(enrol(
        &state,
        &TestHost::default(),
        server.server(trust)?,
        server.server_key()?,
        "token",
    )
    .await)
}

#[tokio::test]
async fn the_pinned_certificate_and_the_own_authority_are_accepted() -> Result<()> {
    let (server, pem, sha256) = start().await?;
    let colons: Vec<&str> = sha256
        .as_bytes()
        .chunks(2)
        .filter_map(|pair| std::str::from_utf8(pair).ok())
        .collect();
    for trust in [
        Trust::Certificate(sha256.clone()),
        Trust::Certificate(colons.join(":")),
        Trust::Authority(pem),
    ] {
        let answer = server.granted(Uuid::new_v4());
        let (enrolled, _) = tokio::try_join!(try_enrol(&server, trust), server.enrolment("200 OK", answer))?;
        assert!(matches!(enrolled, Ok(Enrolment::New(_))), "{enrolled:?}");
    }
    Ok(())
}

#[tokio::test]
async fn any_other_certificate_is_not() -> Result<()> {
    let (server, _, _) = start().await?;
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()])?.cert.pem();
    for trust in [
        Trust::WellKnown,
        Trust::Certificate("00".repeat(32)),
        Trust::Authority(other),
    ] {
        let (enrolled, accepted) = tokio::join!(try_enrol(&server, trust), server.accept());
        let said = enrolled?.expect_err("not trusted").to_string();
        assert!(said.contains("certificate"), "{said}");
        assert!(accepted.is_err());
    }
    Ok(())
}
