//! The token's secret is in the header of a request and nowhere else.

use anyhow::Result;
use proxmox_client::{Client, Fingerprints, Trust};

use crate::server::{Reply, Server, bare, dead_endpoint, json};
use crate::{SECRET, builder, token};

#[tokio::test]
async fn nothing_shows_the_secret() -> Result<()> {
    let garbage = Server::start(|_| json("<html>")).await?;
    let mut shown = format!(
        "{:?} {:?} {:#?}",
        token(),
        builder(&[&garbage]),
        builder(&[&garbage]).build()?
    );
    let replies: [fn() -> Reply; 7] = [
        || bare("401 Authentication failed!"),
        || bare("403 Permission check failed (/, Sys.Audit)"),
        || bare("500 went wrong"),
        || bare("501 no"),
        || bare("595 Connection refused"),
        || json("<html>"),
        || Reply::Reset,
    ];
    let mut errors = Vec::new();
    for reply in replies {
        let server = Server::start(move |_| reply()).await?;
        let client = builder(&[&server]).build()?;
        errors.extend([
            client.version().await.err(),
            client.lxc_exec("pve1", 1, ["id"]).await.err(),
        ]);
        assert!(
            server.seen()[0]
                .header("authorization")
                .is_some_and(|value| value.contains(SECRET))
        );
    }
    let unpinned = Client::builder([garbage.endpoint()])
        .token(token())
        .trust(Trust::Pinned(Fingerprints::default()));
    errors.push(unpinned.build()?.version().await.err());
    errors.push(
        Client::builder([dead_endpoint().await?])
            .token(token())
            .build()?
            .version()
            .await
            .err(),
    );
    for error in errors {
        let error = error.expect("each of these calls fails");
        shown += &format!("{error} {error:?}");
    }
    assert!(
        !shown.contains(SECRET) && !shown.contains(&SECRET.replace('-', "")),
        "{shown}"
    );
    Ok(())
}
