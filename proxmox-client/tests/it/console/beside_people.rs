//! Other people at the same console.

use std::time::Duration;

use anyhow::{Context, Result};
use proxmox_client::ConsoleError;
use tokio::sync::mpsc::UnboundedReceiver;

use super::lab::Lab;
use super::shell::Flavour;

const SOON: Duration = Duration::from_secs(60);

/// Somebody at the console who looks at the screen.
struct Person {
    view: UnboundedReceiver<Vec<u8>>,
    screen: Vec<u8>,
}

impl Person {
    fn sit_down(lab: &Lab) -> Result<Self> {
        Ok(Self {
            view: lab.terminal().attach()?,
            screen: Vec::new(),
        })
    }

    /// Looks until the screen shows something, and forgets what was before it.
    async fn sees(&mut self, text: &str) -> Result<()> {
        tokio::time::timeout(SOON, async {
            loop {
                let found = self
                    .screen
                    .windows(text.len())
                    .position(|window| window == text.as_bytes());
                if let Some(at) = found {
                    self.screen.drain(..at + text.len());
                    return Ok(());
                }
                let more = self.view.recv().await.context("the terminal has ended")?;
                self.screen.extend(more);
            }
        })
        .await
        .with_context(|| format!("no {text:?} in {:?}", String::from_utf8_lossy(&self.screen)))?
    }
}

fn prompt(flavour: Flavour) -> &'static str {
    match flavour {
        Flavour::Bash => "# ",
        Flavour::Dash => "# ",
        Flavour::Ash => "/ # ",
    }
}

#[tokio::test]
async fn somebodys_shell_is_given_back_as_it_was() -> Result<()> {
    for flavour in Flavour::all() {
        let lab = Lab::start(flavour).await?;
        let mut person = Person::sit_down(&lab)?;
        person.sees(prompt(flavour)).await?;
        lab.terminal().press(b"x=4711; cd /usr\r");
        person.sees("# ").await?;
        // Longer than the margin within which a shell counts as ours.
        lab.terminal().press(b"sleep 1.2; echo $((x+1))\r");
        person.sees("4712").await?;
        let shell = lab.terminal().shell();

        let mut session = lab.client().lxc_console("pve1", 100).await?;
        assert!(!session.is_own(), "{flavour:?}");
        assert_eq!(session.run("echo ours", SOON).await?.text, b"ours\n");
        session.leave().await;

        assert_eq!(lab.terminal().shell(), shell, "{flavour:?}");
        lab.terminal().press(b"echo $((x+x)) `pwd`\r");
        person.sees("echo $((x+x)) `pwd`").await?;
        person.sees("9422 /usr").await?;
    }
    Ok(())
}

#[tokio::test]
async fn what_a_person_types_between_our_lines_is_not_run() -> Result<()> {
    for flavour in Flavour::all() {
        let lab = Lab::start(flavour).await?;
        let mut session = lab.client().lxc_console("pve1", 100).await?;
        assert_eq!(session.run("echo one", SOON).await?.text, b"one\n");
        let folder = tempfile::tempdir()?;
        let trap = folder.path().join("trap");
        lab.terminal().press(format!("touch {}", trap.display()).as_bytes());
        let error = session.run("echo two", SOON).await.expect_err("a merged line");
        assert_eq!(error, ConsoleError::HumanTyping, "{flavour:?}");
        let error = session.run("echo three", SOON).await.expect_err("it stays so");
        assert_eq!(error, ConsoleError::HumanTyping);
        session.leave().await;
        lab.terminal().ended().await?;
        assert!(!trap.exists(), "{flavour:?}: it was run");
    }
    Ok(())
}

#[tokio::test]
async fn a_whole_line_of_a_person_is_refused_as_well() -> Result<()> {
    for flavour in Flavour::all() {
        let lab = Lab::start(flavour).await?;
        let mut session = lab.client().lxc_console("pve1", 100).await?;
        let mut person = Person::sit_down(&lab)?;
        lab.terminal().press(b"ls\r");
        person.sees("X_").await?;
        let error = session.run("echo two", SOON).await.expect_err("somebody is there");
        assert_eq!(error, ConsoleError::HumanTyping, "{flavour:?}");
        session.leave().await;
    }
    Ok(())
}

#[tokio::test]
async fn after_an_interrupt_nothing_more_is_typed() -> Result<()> {
    for flavour in Flavour::all() {
        let lab = Lab::start(flavour).await?;
        let mut session = lab.client().lxc_console("pve1", 100).await?;
        let mut person = Person::sit_down(&lab)?;
        let (error, seen) = tokio::join!(session.run("echo begun; while :; do :; done", SOON), async {
            person.sees("begun").await?;
            lab.terminal().press(b"\x03");
            anyhow::Ok(())
        });
        seen?;
        assert_eq!(error, Err(ConsoleError::HumanTyping), "{flavour:?}");
        let typed = lab.typed();
        assert_eq!(session.run("echo more", SOON).await, Err(ConsoleError::HumanTyping));
        session.leave().await;
        assert_eq!(lab.typed(), typed, "{flavour:?}");
        lab.terminal().press(b"echo mine $((2*21))\r");
        person.sees("echo mine $((2*21))").await?;
        person.sees("mine 42").await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_started_script_survives_a_person() -> Result<()> {
    for flavour in Flavour::all() {
        let lab = Lab::start(flavour).await?;
        let mut session = lab.client().lxc_console("pve1", 100).await?;
        let gate = tempfile::NamedTempFile::new()?;
        let script = format!(
            "while [ -e {} ]; do sleep .1; done; echo done; exit 5",
            gate.path().display()
        );
        let job = session.start(script.as_bytes()).await?;
        let mut person = Person::sit_down(&lab)?;
        lab.terminal().press(b"\x03");
        person.sees(prompt(flavour)).await?;
        assert_eq!(
            session.wait(&job, SOON).await,
            Err(ConsoleError::HumanTyping),
            "{flavour:?}"
        );
        drop(session);

        gate.close()?;
        let mut later = lab.client().lxc_console("pve1", 100).await?;
        let job = job.to_string().parse()?;
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
