//! A user with a password instead of a token.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Result;
use proxmox_client::{Client, ConsoleMode, Error, Fingerprints, Login, Trust};

use crate::server::{Reply, Seen, Server, bare, dead_endpoint, json, recording};

const PASSWORD: &str = "correct horse & battery; staple=é";
const VERSION: &str = r#"{"data":{"release":"9.1","version":"9.1.9"}}"#;

fn login() -> Login {
    Login::new("ops@pve", PASSWORD).expect("a login")
}

fn client(server: &Server) -> Client {
    Client::builder([server.endpoint()])
        .login(login())
        .trust(Trust::Pinned(Fingerprints::new([server.fingerprint()])))
        .timeout(Duration::from_secs(10))
        .build()
        .expect("a client")
}

fn is_login(seen: &Seen) -> bool {
    seen.target == "/api2/json/access/ticket"
}

/// Gives the recorded ticket to a login and an answer to everything else.
async fn granting(answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Result<Server> {
    let granted = recording("auth-ticket-ok")?;
    Server::start(move |seen| {
        if is_login(seen) {
            Reply::Raw(granted.clone())
        } else {
            answer(seen)
        }
    })
    .await
}

#[tokio::test]
async fn one_ticket_serves_many_calls() -> Result<()> {
    let server = granting(|_| json(VERSION)).await?;
    let client = client(&server);
    let (first, second) = tokio::join!(client.version(), client.version());
    assert_eq!(
        (first?.version, second?.version),
        ("9.1.9".to_owned(), "9.1.9".to_owned())
    );
    let seen = server.seen();
    assert_eq!(seen.iter().filter(|seen| is_login(seen)).count(), 1);
    assert_eq!(seen[0].method, "POST");
    assert_eq!(
        seen[0].body,
        "username=ops%40pve&password=correct+horse+%26+battery%3B+staple%3D%C3%A9"
    );
    assert_eq!(
        (seen[0].header("cookie"), seen[0].header("authorization")),
        (None, None)
    );
    for call in &seen[1..] {
        let cookie = call.header("cookie").expect("a ticket");
        assert!(
            cookie.starts_with("PVEAuthCookie=PVE%3Aops%40pve%3A6B0118CE%3A%3Ag6FjEpxq2"),
            "{cookie}"
        );
        assert_eq!(
            (call.header("csrfpreventiontoken"), call.header("authorization")),
            (None, None)
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_change_shows_the_second_token_as_well() -> Result<()> {
    let done = recording("lxc-config-cmode-set-running")?;
    let server = granting(move |_| Reply::Raw(done.clone())).await?;
    client(&server)
        .lxc_set_console_mode("pve1", 101, ConsoleMode::Shell)
        .await?;
    let change = &server.seen()[1];
    assert_eq!(
        change.header("csrfpreventiontoken"),
        Some("6B0118CE:O35Oxf5TGmAhyc9YmWgM9JWeEcEffhAQF/QdZZXkJc4")
    );
    assert_eq!(
        (change.method.as_str(), change.target.as_str(), change.body.as_str()),
        ("PUT", "/api2/json/nodes/pve1/lxc/101/config", "cmode=shell")
    );
    Ok(())
}

#[tokio::test]
async fn a_ticket_that_is_no_longer_taken_is_replaced() -> Result<()> {
    let refused = recording("auth-cookie-post-bad-csrf")?;
    let (reboot, calls) = (recording("lxc-reboot")?, AtomicUsize::new(0));
    let server = granting(move |_| match calls.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::Raw(refused.clone()),
        _ => Reply::Raw(reboot.clone()),
    })
    .await?;
    let task = client(&server).lxc_reboot("pve1", 101, Duration::from_secs(20)).await?;
    assert_eq!((task.kind(), task.id()), ("vzreboot", "101"));
    let kinds: Vec<bool> = server.seen().iter().map(is_login).collect();
    assert_eq!(kinds, [true, false, true, false]);
    assert_eq!(server.seen()[3].body, "timeout=20");
    Ok(())
}

#[tokio::test]
async fn a_ticket_is_replaced_once_only() -> Result<()> {
    let server = granting(|_| bare("401 Authentication failed!")).await?;
    let error = client(&server).version().await.expect_err("refused");
    assert!(matches!(error, Error::Unauthenticated { .. }), "{error:?}");
    assert_eq!(server.seen().len(), 4);
    Ok(())
}

#[tokio::test]
async fn a_wrong_password_is_said() -> Result<()> {
    let server = Server::replaying("auth-ticket-bad-password").await?;
    let error = client(&server).version().await.expect_err("refused");
    assert!(
        matches!(&error, Error::Unauthenticated { message, .. } if message == "authentication failure"),
        "{error:?}"
    );
    assert!(!format!("{error} {error:?}").contains("horse"));
    assert_eq!(server.seen().len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_second_factor_is_not_ours_to_give() -> Result<()> {
    let server =
        Server::start(|_| json(r#"{"data":{"ticket":"PVE:!tfa!x","username":"ops@pve","NeedTFA":1}}"#)).await?;
    let error = client(&server).version().await.expect_err("half a login");
    assert!(
        matches!(&error, Error::Unauthenticated { message, .. } if message.contains("second factor")),
        "{error:?}"
    );
    Ok(())
}

#[tokio::test]
async fn a_failed_login_leaves_a_command_unsent() -> Result<()> {
    let mute = Server::start(|_| Reply::Reset).await?;
    let good = granting(|_| json(r#"{"data":"UPID:pve1:000008B3:00043EFE:6B01147C:vzreboot:101:ops@pve:"}"#)).await?;
    let client = Client::builder([dead_endpoint().await?, mute.endpoint(), good.endpoint()])
        .login(login())
        .trust(Trust::Pinned(Fingerprints::new([
            mute.fingerprint(),
            good.fingerprint(),
        ])))
        .build()?;
    client.lxc_reboot("pve1", 101, Duration::from_secs(20)).await?;
    assert_eq!((mute.seen().len(), good.seen().len()), (1, 2));
    Ok(())
}

#[tokio::test]
async fn a_pending_console_mode_is_taken_back() -> Result<()> {
    let done = recording("lxc-config-revert-cmode")?;
    let server = granting(move |_| Reply::Raw(done.clone())).await?;
    client(&server).lxc_revert_console_mode("pve1", 101).await?;
    assert_eq!(server.seen()[1].body, "revert=cmode");
    Ok(())
}
