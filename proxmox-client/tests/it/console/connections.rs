//! Connections that are cut, and terminals that end.

use std::time::Duration;

use anyhow::{Context, Result};
use proxmox_client::ConsoleError;

use super::lab::Lab;
use super::shell::Flavour;

const SOON: Duration = Duration::from_secs(60);

#[tokio::test]
async fn one_session_right_after_the_other() -> Result<()> {
    for flavour in Flavour::all() {
        for lingers in [false, true] {
            let lab = Lab::start(flavour).await?;
            lab.set(|odd| odd.lingers = lingers);
            let client = lab.client();
            for round in 0..3 {
                let mut session = client.lxc_console("pve1", 100).await?;
                assert!(session.is_own(), "{flavour:?} {round}");
                assert_eq!(session.run("echo here", SOON).await?.text, b"here\n");
                session.leave().await;
            }
            // Each visitor meets the last second of the one before it.
            assert_eq!(lab.greeted(), 5, "{flavour:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_cut_at_any_step_is_noticed_and_leaves_nothing_in_the_way() -> Result<()> {
    let lab = Lab::start(Flavour::Dash).await?;
    let client = lab.client();
    let mut steps = 0;
    loop {
        steps += 1;
        lab.set(|odd| {
            odd.impatient = true;
            odd.cut_at = steps;
        });
        let outcome = async {
            let mut session = client.lxc_console("pve1", 100).await?;
            let output = session.run_script(b"echo out; exit 4", SOON).await?;
            session.leave().await;
            Ok(output)
        };
        match outcome.await {
            Err(ConsoleError::Ended { .. }) => {}
            Ok(output) => {
                assert_eq!((output.exit, output.stdout.as_slice()), (4, b"out\n".as_slice()));
                break;
            }
            Err(other) => panic!("step {steps}: {other:?}"),
        }
    }
    // Bootstrap, directory, two for the upload, start, wait, two reads, removal: each was lost once. An old line server
    // in the way makes for some more.
    assert!(steps >= 10, "{steps}");
    Ok(())
}

#[tokio::test]
async fn a_started_script_survives_a_cut() -> Result<()> {
    for flavour in Flavour::all() {
        let lab = Lab::start(flavour).await?;
        lab.set(|odd| odd.impatient = true);
        let client = lab.client();
        let gate = tempfile::NamedTempFile::new()?;
        let script = format!(
            "while [ -e {} ]; do sleep .1; done; echo done; exit 5",
            gate.path().display()
        );
        let mut session = client.lxc_console("pve1", 100).await?;
        let job = session.start(script.as_bytes()).await?;
        drop(session);
        gate.close()?;
        let mut later = client
            .lxc_console("pve1", 100)
            .await
            .with_context(|| format!("{flavour:?}"))?;
        let exit = later.wait(&job, SOON).await?;
        let output = later.collect(&job, exit).await?;
        assert_eq!(
            (output.exit, output.stdout.as_slice()),
            (5, b"done\n".as_slice()),
            "{flavour:?}"
        );
        later.leave().await;
    }
    Ok(())
}

#[tokio::test]
async fn the_end_of_the_container_is_noticed() -> Result<()> {
    for lingers in [false, true] {
        let lab = Lab::start(Flavour::Bash).await?;
        lab.set(|odd| odd.lingers = lingers);
        let mut session = lab.client().lxc_console("pve1", 100).await?;
        let mut view = lab.terminal().attach()?;
        let (error, _) = tokio::join!(session.run("echo begun; sleep 1000", SOON), async {
            // The first to come is what everybody sees who attaches.
            view.recv().await;
            view.recv().await;
            lab.terminal().end();
        });
        let error = error.expect_err("it ended");
        assert!(matches!(error, ConsoleError::Ended { .. }), "{error:?}");
        let error = session.run("echo more", SOON).await.expect_err("it is over");
        assert!(matches!(error, ConsoleError::Ended { .. }), "{error:?}");
        session.leave().await;
    }
    Ok(())
}

#[tokio::test]
async fn a_damaged_upload_is_noticed() -> Result<()> {
    let lab = Lab::start(Flavour::Bash).await?;
    let mut session = lab.client().lxc_console("pve1", 100).await?;
    lab.set(|odd| odd.garbles = true);
    let file = tempfile::NamedTempFile::new()?;
    let path = file.path().display().to_string();
    let error = session.upload(&path, &[b'x'; 5000]).await.expect_err("damaged");
    assert_eq!(error, ConsoleError::Damaged { path });
    Ok(())
}

#[tokio::test]
async fn a_command_that_takes_too_long_takes_the_session_with_it() -> Result<()> {
    let lab = Lab::start(Flavour::Bash).await?;
    let mut session = lab.client().lxc_console("pve1", 100).await?;
    let after = Duration::from_millis(200);
    let expected = Err(ConsoleError::TimedOut { after });
    assert_eq!(session.run("sleep 1000", after).await, expected);
    assert_eq!(session.run("echo more", SOON).await, expected);
    session.leave().await;
    Ok(())
}
