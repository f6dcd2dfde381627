//! Consoles that are not used.

use std::time::Duration;

use anyhow::Result;
use proxmox_client::{ConsoleError, Error, Login};

use super::lab::{Lab, Oddities};
use super::shell::Flavour;

async fn refusal(change: impl FnOnce(&mut Oddities)) -> Result<(ConsoleError, Lab)> {
    let lab = Lab::start(Flavour::Bash).await?;
    lab.set(change);
    let error = lab.client().lxc_console("pve1", 100).await.expect_err("no console");
    assert_eq!(lab.typed(), b"", "something was typed");
    Ok((error, lab))
}

#[tokio::test]
async fn what_can_be_known_is_known_before_a_terminal_is_asked_for() -> Result<()> {
    type Oddity = fn(&mut Oddities);
    let cases: [(Oddity, ConsoleError); 7] = [
        (|odd| odd.status = r#""status":"stopped""#, ConsoleError::NotRunning),
        (
            |odd| odd.status = r#""status":"running","uptime":0"#,
            ConsoleError::NotRunning,
        ),
        (
            |odd| odd.status = r#""status":"running","pid":1,"lock":"backup""#,
            ConsoleError::Locked {
                lock: "backup".to_owned(),
            },
        ),
        (
            |odd| odd.cmode = r#","cmode":"shell","lock":"snapshot""#,
            ConsoleError::Locked {
                lock: "snapshot".to_owned(),
            },
        ),
        (|odd| odd.cmode = "", ConsoleError::LoginRequired),
        (|odd| odd.cmode = r#","cmode":"console""#, ConsoleError::LoginRequired),
        (
            |odd| odd.visitor = Some("anna@pam"),
            ConsoleError::Busy {
                by: Some("anna@pam".to_owned()),
            },
        ),
    ];
    for (change, expected) in cases {
        let (error, lab) = refusal(change).await?;
        assert_eq!(error, expected);
        assert_eq!(lab.greeted(), 0);
    }
    Ok(())
}

#[tokio::test]
async fn old_packages_are_told_from_other_refusals() -> Result<()> {
    let (error, _) = refusal(|odd| odd.options = "").await?;
    assert!(
        matches!(&error, ConsoleError::TokenNotSupported { said } if said.contains("termproxy 5900")),
        "{error:?}"
    );
    Ok(())
}

#[tokio::test]
async fn a_user_with_a_password_is_let_in_by_old_packages() -> Result<()> {
    let lab = Lab::start(Flavour::Dash).await?;
    lab.set(|odd| odd.options = "");
    let client = lab.builder().login(Login::new("ops@pve", "secret")?).build()?;
    let mut session = client.lxc_console("pve1", 100).await?;
    assert_eq!(session.run("echo in", Duration::from_secs(20)).await?.text, b"in\n");
    session.leave().await;
    Ok(())
}

#[tokio::test]
async fn words_instead_of_a_shell() -> Result<()> {
    let (error, _) = refusal(|odd| odd.instead = Some("\x1b[H\x1b[J\r\nweb1 login: ")).await?;
    assert_eq!(error, ConsoleError::LoginRequired);
    let gone =
        "lxc-attach: 100: ../src/lxc/attach.c: get_attach_context: 406 Connection refused - Failed to get init pid";
    let (error, lab) = refusal(|odd| odd.instead = Some(gone)).await?;
    assert_eq!((error, lab.greeted()), (ConsoleError::NotRunning, 1));
    let ssh = "ssh: connect to host 10.98.77.3 port 22: No route to host\r\r\n";
    let (error, lab) = refusal(|odd| odd.instead = Some(ssh)).await?;
    assert!(
        matches!(&error, ConsoleError::Ended { said } if said.contains("No route")),
        "{error:?}"
    );
    assert_eq!(lab.greeted(), 3);
    Ok(())
}

#[tokio::test]
async fn one_session_per_container() -> Result<()> {
    let lab = Lab::start(Flavour::Bash).await?;
    let client = lab.client();
    let first = client.lxc_console("pve1", 100).await?;
    let error = client.lxc_console("pve1", 100).await.expect_err("there is one");
    assert_eq!(
        error,
        ConsoleError::Busy {
            by: Some("ops@pve!full".to_owned())
        }
    );
    first.leave().await;
    client.lxc_console("pve1", 100).await?.leave().await;
    Ok(())
}

#[tokio::test]
async fn another_certificate_gets_nothing() -> Result<()> {
    let (one, two) = (Lab::start(Flavour::Bash).await?, Lab::start(Flavour::Bash).await?);
    let error = two
        .builder()
        .token(crate::token())
        .trust(one.trust())
        .build()?
        .lxc_console("pve1", 100)
        .await
        .expect_err("not trusted");
    assert!(
        matches!(error, ConsoleError::Api(Error::TlsMismatch { .. })),
        "{error:?}"
    );
    Ok(())
}
