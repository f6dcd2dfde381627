//! What comes back from commands, files and scripts.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use proxmox_client::{ConsoleError, Printed};

use super::lab::Lab;
use super::shell::Flavour;

const SOON: Duration = Duration::from_secs(60);

fn printed(exit: i64, text: &str) -> Printed {
    Printed {
        exit,
        text: text.as_bytes().to_vec(),
    }
}

/// Bytes of all values in no order that repeats soon.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[1]
    };
    (0..length).map(|_| next()).collect()
}

#[tokio::test]
async fn commands_print_and_end() -> Result<()> {
    for flavour in Flavour::all() {
        let lab = Lab::start(flavour).await?;
        let mut session = lab.client().lxc_console("pve1", 100).await?;
        assert!(session.is_own());
        for (command, expected) in [
            ("echo one; echo two >&2; exit 7", printed(7, "one\ntwo\n")),
            ("printf 'no newline'", printed(0, "no newline")),
            ("true", printed(0, "")),
            (
                "echo $HOME; echo \"it's\" 'a \"quote\"' \\$x",
                printed(0, "/root\nit's a \"quote\" $x\n"),
            ),
            ("echo é | wc -c", printed(0, "3\n")),
            ("cat; echo $?", printed(0, "0\n")),
            ("cd /usr && X=1 && pwd", printed(0, "/usr\n")),
            ("pwd; echo \"[$X]\"", printed(0, "/\n[]\n")),
        ] {
            assert_eq!(session.run(command, SOON).await?, expected, "{flavour:?}: {command}");
        }
        assert_eq!(session.run("kill -9 $$", SOON).await?.exit, 137, "{flavour:?}");
        for mistake in ["if", "echo 'open", ")", "nosuchprogram"] {
            assert_ne!(session.run(mistake, SOON).await?.exit, 0, "{flavour:?}: {mistake}");
        }
        assert_eq!(session.run("echo still here", SOON).await?, printed(0, "still here\n"));
        session.leave().await;
        lab.terminal().ended().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_command_is_one_line() -> Result<()> {
    let lab = Lab::start(Flavour::Bash).await?;
    let mut session = lab.client().lxc_console("pve1", 100).await?;
    let before = lab.typed();
    for command in ["echo a\necho b", "echo \u{1c}", "echo \u{7f}", &"x".repeat(20_000)] {
        let error = session.run(command, SOON).await.expect_err("more than a line");
        assert!(
            matches!(error, ConsoleError::Api(proxmox_client::Error::Invalid { .. })),
            "{error:?}"
        );
    }
    assert!(session.upload("relative", b"x").await.is_err());
    assert_eq!(lab.typed(), before);
    Ok(())
}

#[tokio::test]
async fn scripts_keep_their_streams_and_leave_nothing_behind() -> Result<()> {
    for flavour in Flavour::all() {
        let lab = Lab::start(flavour).await?;
        let mut session = lab.client().lxc_console("pve1", 100).await?;
        let script = b"#!/usr/bin/python3\necho \"$0\"\nprintf 'a\\r\\nb\\0c' >&2\ncat\numask >&2\nexit 3\n";
        let output = session.run_script(script, SOON).await?;
        assert_eq!(output.exit, 3, "{flavour:?}");
        let stderr = String::from_utf8(output.stderr)?;
        assert!(
            stderr.starts_with("a\r\nb\0c") && !stderr.ends_with("077\n"),
            "{flavour:?}: {stderr:?}"
        );
        let place = String::from_utf8(output.stdout)?;
        let place = Path::new(place.trim_end()).parent().context("no folder")?;
        assert!(place.starts_with("/tmp") && !place.exists(), "{flavour:?}: {place:?}");
        let silent = session.run_script(b"", SOON).await?;
        assert_eq!((silent.exit, silent.stdout.len(), silent.stderr.len()), (0, 0, 0));
        session.leave().await;
        lab.terminal().ended().await?;
    }
    Ok(())
}

#[tokio::test]
async fn large_scripts_and_large_binary_output() -> Result<()> {
    for flavour in Flavour::all() {
        let lab = Lab::start(flavour).await?;
        let mut session = lab.client().lxc_console("pve1", 100).await?;
        let data = noise(1_000_000);
        let file = tempfile::NamedTempFile::new()?;
        let path = file.path().to_str().context("a path")?;
        session.upload(path, &data).await?;
        assert!(std::fs::read(path)? == data, "{flavour:?}: the upload differs");
        let mut script = format!("cat {path}; cat {path} >&2; exit 9\n: ").into_bytes();
        script.resize(200_000, b'#');
        let output = session.run_script(&script, SOON).await?;
        assert_eq!(output.exit, 9);
        assert!(
            output.stdout == data && output.stderr == data,
            "{flavour:?}: the output differs"
        );
        session.leave().await;
    }
    Ok(())
}

#[tokio::test]
async fn only_what_may_be_typed_is_typed() -> Result<()> {
    let lab = Lab::start(Flavour::Bash).await?;
    let mut session = lab.client().lxc_console("pve1", 100).await?;
    session.run_script(&noise(5000), SOON).await?;
    session.leave().await;
    let typed = lab.typed();
    let strange: Vec<u8> = typed
        .into_iter()
        .filter(|b| !matches!(b, 0x20..=0x7e | b'\n' | b'\r'))
        .collect();
    assert!(strange.is_empty(), "{strange:?}");
    Ok(())
}

#[tokio::test]
async fn output_has_a_limit() -> Result<()> {
    for flavour in Flavour::all() {
        let lab = Lab::start(flavour).await?;
        let client = lab.builder().token(crate::token()).max_answer(50_000).build()?;
        let mut session = client.lxc_console("pve1", 100).await?;
        let error = session
            .run_script(b"head -c 60000 /dev/zero", SOON)
            .await
            .expect_err("too much");
        assert_eq!(error, ConsoleError::TooLarge { limit: 50_000 }, "{flavour:?}");
        assert_eq!(session.run("echo fine", SOON).await?, printed(0, "fine\n"));
        let error = session
            .run("head -c 60000 /dev/zero", SOON)
            .await
            .expect_err("too much");
        assert_eq!(error, ConsoleError::TooLarge { limit: 50_000 });
    }
    Ok(())
}

#[tokio::test]
async fn a_script_that_takes_too_long_is_stopped_with_its_children() -> Result<()> {
    for flavour in Flavour::all() {
        let lab = Lab::start(flavour).await?;
        let mut session = lab.client().lxc_console("pve1", 100).await?;
        let note = tempfile::NamedTempFile::new()?;
        let script = format!("sleep 1000 & echo $! >{}\nwait", note.path().display());
        let within = Duration::from_millis(1);
        let error = session
            .run_script(script.as_bytes(), within)
            .await
            .expect_err("it sleeps");
        assert_eq!(error, ConsoleError::TimedOut { after: within }, "{flavour:?}");
        let child = std::fs::read_to_string(note.path())?;
        let state = std::fs::read_to_string(format!("/proc/{}/stat", child.trim())).unwrap_or_default();
        assert!(
            state.is_empty() || state.contains(") Z "),
            "{flavour:?}: it runs on: {state}"
        );
        assert_eq!(session.run("echo fine", SOON).await?, printed(0, "fine\n"));
    }
    Ok(())
}

#[tokio::test]
async fn a_killed_script_is_not_waited_for() -> Result<()> {
    for flavour in Flavour::all() {
        let lab = Lab::start(flavour).await?;
        let mut session = lab.client().lxc_console("pve1", 100).await?;
        let job = session.start(b"kill -9 $PPID; kill -9 $$").await?;
        assert_eq!(session.wait(&job, SOON).await, Err(ConsoleError::Killed), "{flavour:?}");
        session.stop(&job).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_missing_file_is_said() -> Result<()> {
    for flavour in Flavour::all() {
        let lab = Lab::start(flavour).await?;
        let mut session = lab.client().lxc_console("pve1", 100).await?;
        let error = session.download("/nonexistent/file").await.expect_err("no file");
        assert!(
            matches!(&error, ConsoleError::Failed { doing: "reading a file", said, .. } if said.contains("nonexistent")),
            "{flavour:?}: {error:?}"
        );
        let error = session.upload("/nonexistent/file", b"x").await.expect_err("no folder");
        assert!(
            matches!(
                error,
                ConsoleError::Failed {
                    doing: "writing a file",
                    ..
                }
            ),
            "{flavour:?}: {error:?}"
        );
        assert_eq!(session.run("echo fine", SOON).await?, printed(0, "fine\n"));
    }
    Ok(())
}

#[tokio::test]
async fn a_file_that_cannot_be_finished_does_not_end_the_session() -> Result<()> {
    for flavour in Flavour::all() {
        let lab = Lab::start(flavour).await?;
        let _view = lab.terminal().attach()?;
        // A limit of the shell stands for a full disk: 100 blocks, after which a writer is ended.
        lab.terminal().press(b"ulimit -f 100\r");
        let mut session = lab.client().lxc_console("pve1", 100).await?;
        let file = tempfile::NamedTempFile::new()?;
        let path = file.path().to_str().context("a path")?;
        let error = session.upload(path, &noise(300_000)).await.expect_err("no room");
        assert!(matches!(error, ConsoleError::Damaged { .. }), "{flavour:?}: {error:?}");
        assert_eq!(session.run("echo fine", SOON).await?, printed(0, "fine\n"));
    }
    Ok(())
}
