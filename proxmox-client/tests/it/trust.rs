//! Which certificates are accepted, and what is said of the others.

use std::time::Duration;

use anyhow::{Context, Result};
use proxmox_client::{Client, Endpoint, Error, Fingerprint, Fingerprints, Trust, probe};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use crate::server::{Identity, Server, dead_endpoint, json};
use crate::token;

const VERSION: &str = r#"{"data":{"release":"9.1","version":"9.1.9"}}"#;
const SOON: Duration = Duration::from_secs(10);

async fn server_as(identity: &Identity) -> Result<Server> {
    Server::start_as(identity, |_| json(VERSION)).await
}

fn trusting(trust: Trust, endpoint: Endpoint) -> Result<Client> {
    Ok(Client::builder([endpoint]).token(token()).trust(trust).build()?)
}

#[tokio::test]
async fn a_certificate_that_is_not_pinned_gets_nothing() -> Result<()> {
    let server = server_as(&Identity::new()?).await?;
    let other = Fingerprint::of(b"another certificate");
    let client = trusting(Trust::Pinned(Fingerprints::new([other])), server.endpoint())?;
    let error = client.version().await.expect_err("not pinned");
    let expected = Error::TlsMismatch {
        endpoint: server.endpoint(),
        expected: vec![other],
        got: server.fingerprint(),
    };
    assert_eq!(error, expected);
    assert_eq!(server.seen().len(), 0);
    Ok(())
}

#[tokio::test]
async fn pins_can_be_added_while_the_client_works() -> Result<()> {
    let server = server_as(&Identity::new()?).await?;
    let pins = Fingerprints::default();
    let client = trusting(Trust::Pinned(pins.clone()), server.endpoint())?;
    assert!(matches!(client.version().await, Err(Error::TlsMismatch { .. })));
    pins.insert(server.fingerprint());
    client.version().await?;
    Ok(())
}

/// The answers close their connection, so each call meets the certificate of that moment.
#[tokio::test]
async fn a_changed_certificate_is_noticed() -> Result<()> {
    let server = Server::replaying("version").await?;
    let (old, pins) = (server.fingerprint(), Fingerprints::new([server.fingerprint()]));
    let client = trusting(Trust::Pinned(pins.clone()), server.endpoint())?;
    client.version().await?;

    server.become_another(&Identity::new()?)?;
    let error = client.version().await.expect_err("another certificate");
    assert!(
        matches!(&error, Error::TlsMismatch { expected, got, .. } if *expected == [old] && *got == server.fingerprint()),
        "{error:?}"
    );
    pins.insert(server.fingerprint());
    client.version().await?;
    pins.remove(&server.fingerprint());
    assert!(
        matches!(client.version().await, Err(Error::TlsMismatch { .. })),
        "a removed pin still counts"
    );
    Ok(())
}

#[tokio::test]
async fn another_endpoint_of_the_cluster_may_still_be_trusted() -> Result<()> {
    let (renewed, known) = (server_as(&Identity::new()?).await?, server_as(&Identity::new()?).await?);
    let client = Client::builder([renewed.endpoint(), known.endpoint()])
        .token(token())
        .trust(Trust::Pinned(Fingerprints::new([known.fingerprint()])))
        .build()?;
    client.version().await?;
    assert_eq!((renewed.seen().len(), known.seen().len()), (0, 1));
    Ok(())
}

#[tokio::test]
async fn a_mismatch_is_told_before_other_failures() -> Result<()> {
    let server = server_as(&Identity::new()?).await?;
    let client = Client::builder([dead_endpoint().await?, server.endpoint()])
        .token(token())
        .trust(Trust::Pinned(Fingerprints::default()))
        .build()?;
    let error = client.version().await.expect_err("nothing is pinned");
    assert!(
        matches!(&error, Error::TlsMismatch { expected, .. } if expected.is_empty()),
        "{error:?}"
    );
    Ok(())
}

#[tokio::test]
async fn the_clusters_authority() -> Result<()> {
    let (identity, foreign) = (Identity::new()?, Identity::new()?);
    let server = server_as(&identity).await?;
    trusting(Trust::ClusterCa(identity.ca_pem.clone()), server.endpoint())?
        .version()
        .await?;
    let both = format!("{}\n{}", foreign.ca_pem, identity.ca_pem);
    trusting(Trust::ClusterCa(both), server.endpoint())?.version().await?;

    let error = trusting(Trust::ClusterCa(foreign.ca_pem), server.endpoint())?
        .version()
        .await
        .expect_err("foreign");
    assert!(
        matches!(&error, Error::Tls { endpoint, .. } if *endpoint == server.endpoint()),
        "{error:?}"
    );

    let elsewhere = Identity::of(&["pve.example.org"])?;
    let server = server_as(&elsewhere).await?;
    let error = trusting(Trust::ClusterCa(elsewhere.ca_pem), server.endpoint())?
        .version()
        .await
        .expect_err("no name");
    assert!(
        matches!(&error, Error::Tls { reason, .. } if reason == "its certificate is not for 127.0.0.1, but for pve.example.org"),
        "{error:?}"
    );
    Ok(())
}

#[tokio::test]
async fn the_system_does_not_know_a_private_authority() -> Result<()> {
    let server = server_as(&Identity::new()?).await?;
    let error = trusting(Trust::System, server.endpoint())?
        .version()
        .await
        .expect_err("a private authority");
    assert!(
        matches!(&error, Error::Tls { reason, .. } if reason.contains("no authority")),
        "{error:?}"
    );
    assert_eq!(server.seen().len(), 0);
    Ok(())
}

#[tokio::test]
async fn a_probe_shows_the_certificate_and_sends_nothing() -> Result<()> {
    let server = server_as(&Identity::new()?).await?;
    let shown = probe(&server.endpoint(), SOON).await?;
    assert_eq!(shown.fingerprint, server.fingerprint());
    assert_eq!(Fingerprint::of(&shown.der), server.fingerprint());
    assert_eq!(shown.names, ["127.0.0.1", "localhost"]);
    assert!(
        shown.subject.contains("CN=") && shown.not_before < shown.not_after,
        "{shown:?}"
    );
    let reason = shown.valid_by_system.err().context("a private authority")?;
    assert!(reason.contains("no authority"), "{reason}");
    assert_eq!(server.seen().len(), 0);

    let client = trusting(Trust::Pinned(Fingerprints::new([shown.fingerprint])), server.endpoint())?;
    client.version().await?;
    Ok(())
}

/// A certificate is public; holding its key is what counts.
#[tokio::test]
async fn a_copied_certificate_is_not_enough() -> Result<()> {
    let original = Identity::new()?;
    let copy = server_as(&Identity::copied_from(&original)?).await?;
    let pins = Trust::Pinned(Fingerprints::new([original.fingerprint()]));
    let error = trusting(pins, copy.endpoint())?
        .version()
        .await
        .expect_err("without the key");
    assert!(matches!(error, Error::Tls { .. }), "{error:?}");
    let error = probe(&copy.endpoint(), SOON).await.expect_err("without the key");
    assert!(matches!(error, Error::Tls { .. }), "{error:?}");
    assert_eq!(copy.seen().len(), 0);
    Ok(())
}

#[tokio::test]
async fn a_probe_that_meets_no_tls() -> Result<()> {
    let error = probe(&dead_endpoint().await?, SOON).await.expect_err("nobody listens");
    assert!(matches!(error, Error::NotSent { call: "probe", .. }), "{error:?}");

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let endpoint = Endpoint::new("127.0.0.1", listener.local_addr()?.port())?;
    let plain = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await?;
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await?;
        let (_silent, _) = listener.accept().await?;
        std::future::pending::<anyhow::Result<()>>().await
    });
    let error = probe(&endpoint, SOON).await.expect_err("no TLS");
    assert!(matches!(error, Error::Tls { .. }), "{error:?}");
    let error = probe(&endpoint, Duration::from_millis(50)).await.expect_err("silence");
    assert!(matches!(error, Error::TimedOut { call: "probe", .. }), "{error:?}");
    plain.abort();
    Ok(())
}
