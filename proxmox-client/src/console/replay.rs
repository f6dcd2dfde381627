//! The conversation against recordings of Proxmox VE, see `tests/recordings/console`.

use std::collections::VecDeque;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use proptest::prelude::*;
use serde::Deserialize;

use super::error::ConsoleError;
use super::nonce::Nonce;
use super::opening::{Opened, Opening, Step};
use super::serving::{Command, Printed, Reaction, Serving};

#[derive(Debug, Clone, Deserialize)]
struct Frame {
    t: f64,
    dir: char,
    op: serde_json::Value,
    data: String,
}

impl Frame {
    fn at(&self) -> Duration {
        Duration::from_secs_f64(self.t)
    }

    fn bytes(&self) -> Vec<u8> {
        self.data.chars().filter_map(|c| u8::try_from(c).ok()).collect()
    }

    fn is_data(&self) -> bool {
        self.op == 2
    }
}

fn recording(name: &str) -> Result<Vec<Frame>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/recordings/console/{name}.json"));
    let text = std::fs::read_to_string(&path).with_context(|| format!("no recording {}", path.display()))?;
    Ok(serde_json::from_str(&text)?)
}

/// The nonce that the recorded client had drawn, or any.
fn nonce(frames: &[Frame]) -> Nonce {
    let drawn = frames.iter().find_map(|frame| {
        let digits = frame.data.split_once(";k=")?.1.get(..8)?;
        u32::from_str_radix(digits, 16).ok()
    });
    Nonce::new(drawn.unwrap_or(0xc0ffee))
}

/// One side of a conversation, with everything that it wanted to send.
struct Client {
    opening: Opening,
    serving: Option<Serving>,
    nonce: Nonce,
    sent: VecDeque<(Duration, Vec<u8>)>,
    opened: Option<Opened>,
    failed: Option<ConsoleError>,
    done: Vec<Result<Printed, ConsoleError>>,
    left: bool,
}

impl Client {
    fn new(frames: &[Frame]) -> Result<Self> {
        let nonce = nonce(frames);
        let greeting = &frames.first().context("an empty recording")?.data;
        let (user, ticket) = greeting.trim_end().split_once(':').context("no greeting")?;
        let (opening, hello) = Opening::new(nonce, user, ticket);
        Ok(Self {
            opening,
            serving: None,
            nonce,
            sent: VecDeque::from([(Duration::ZERO, hello)]),
            opened: None,
            failed: None,
            done: Vec::new(),
            left: false,
        })
    }

    fn heard(&mut self, bytes: &[u8], now: Duration) {
        match &mut self.serving {
            Some(serving) => {
                let reaction = serving.heard(bytes, now);
                self.react(reaction, now);
            }
            None if self.failed.is_none() => {
                let step = self.opening.heard(bytes, now);
                self.step(step, now);
            }
            None => {}
        }
    }

    /// Lets time pass, with everything that is due on the way.
    fn pass(&mut self, until: Duration) {
        while self.failed.is_none() && !self.left {
            let due = match &self.serving {
                Some(serving) => serving.wake(),
                None => Some(self.opening.wake()),
            };
            let Some(due) = due.filter(|due| *due <= until) else {
                return;
            };
            match &mut self.serving {
                Some(serving) => {
                    let reaction = serving.tick(due);
                    self.react(reaction, due);
                }
                None => {
                    let step = self.opening.tick(due);
                    self.step(step, due);
                }
            }
        }
    }

    fn run(&mut self, line: &str, payload: Option<Vec<u8>>, now: Duration) {
        let command = Command {
            line: line.to_owned(),
            payload,
            within: Duration::from_secs(20),
            limit: 1 << 20,
        };
        if let Some(serving) = &mut self.serving {
            let reaction = serving.run(command, now);
            self.react(reaction, now);
        }
    }

    fn leave(&mut self, now: Duration) {
        if let Some(serving) = &mut self.serving {
            let reaction = serving.leave(now);
            self.react(reaction, now);
        }
    }

    fn step(&mut self, step: Step, now: Duration) {
        match step {
            Step::Wait => {}
            Step::Send(message) => self.sent.push_back((now, message)),
            Step::Opened(opened) => {
                self.opened = Some(opened.clone());
                self.serving = Some(Serving::new(self.nonce, opened, now));
            }
            Step::Failed(error) => self.failed = Some(error),
        }
    }

    fn react(&mut self, reaction: Reaction, now: Duration) {
        match reaction {
            Reaction::Wait => {}
            Reaction::Send(message) => self.sent.push_back((now, message)),
            Reaction::Done(result) => self.done.push(result),
            Reaction::Left => self.left = true,
        }
    }

    /// Begins what the recorded client did at this point, unless it follows by itself.
    fn imitate(&mut self, frame: &Frame, next: Option<&Frame>) {
        let nonce = self.nonce;
        let typed = frame.data.splitn(3, ':').nth(2).unwrap_or_default();
        let Some(line) = typed.strip_prefix(&format!("{nonce} ")) else {
            return;
        };
        if line == "Q\n" || line.starts_with("echo BYE_") {
            self.leave(frame.at());
        } else if let Some((line, _)) = line.rsplit_once("; printf ") {
            let payload = next
                .filter(|_| line.contains("head -c"))
                .and_then(|next| next.data.splitn(3, ':').nth(2))
                .map(|payload| payload.as_bytes().to_vec());
            self.run(line, payload, frame.at());
        }
    }
}

/// Plays a recording in which our own steps were taken: what we send must be what was sent.
fn follow(name: &str, cuts: &[usize]) -> Result<Client> {
    let frames = recording(name)?;
    let mut client = Client::new(&frames)?;
    let typed: Vec<&Frame> = frames.iter().filter(|f| f.dir == '>' && f.is_data()).collect();
    let mut turn = 0;
    let mut cut = 0;
    for frame in frames.iter().filter(|frame| frame.is_data()) {
        client.pass(frame.at());
        if frame.dir == '<' {
            let mut bytes = frame.bytes().into_boxed_slice().into_vec();
            while !bytes.is_empty() {
                let length = cuts.get(cut).copied().unwrap_or(usize::MAX).clamp(1, bytes.len());
                let rest = bytes.split_off(length);
                client.heard(&bytes, frame.at());
                bytes = rest;
                cut += 1;
            }
            continue;
        }
        client.imitate(frame, typed.get(turn + 1).copied());
        turn += 1;
        let (_, sent) = client
            .sent
            .pop_front()
            .with_context(|| format!("nothing sent for {frame:?}"))?;
        let (sent, recorded) = (String::from_utf8(sent)?, in_our_form(&frame.data, client.nonce));
        ensure!(sent == recorded, "sent {sent:?}\ninstead of {recorded:?}");
    }
    Ok(client)
}

/// The recorded client did not quote its commands, left the patience of its line server to the terminal alone, and a
/// person who interrupted it with a terminal without echo.
fn in_our_form(recorded: &str, nonce: Nonce) -> String {
    let typed = recorded.splitn(3, ':').nth(2).unwrap_or_default();
    let ours = match typed
        .strip_prefix(&format!("{nonce} "))
        .and_then(|line| line.split_once('\n'))
    {
        Some((command, rest)) if command != "Q" => {
            format!("{nonce} eval '{}'\n{rest}", command.replace('\'', r"'\''"))
        }
        _ if typed.contains("sh -c 'g=$(stty") => with_our_margin(typed)
            .replace(&format!("k={nonce};"), &format!("k={nonce};{PATIENCE}"))
            .replace("read -r l", "read -r $t l")
            .replace("g=$(stty -g);", r#"g=$(stty -g);trap "stty $g;exit 130" 2;"#),
        _ => return recorded.to_owned(),
    };
    format!("0:{}:{ours}", ours.len())
}

/// The recorded client took a shell for its own when it was at most 1/5 s older than the connection; we allow 1 s.
fn with_our_margin(bootstrap: &str) -> String {
    let (before, rest) = bootstrap.split_once("-lt ").unwrap_or_default();
    let (age, after) = rest.split_once(' ').unwrap_or_default();
    let age = age.parse::<u32>().unwrap_or_default() + 80;
    format!("{before}-lt {age} {after}")
}

const PATIENCE: &str = r#"t=;(read -t 9 l </dev/null)2>/dev/null;[ $? = 1 ]&&t="-t 25";"#;

/// Plays the server's side of a recording, whatever its client did.
fn listen(name: &str) -> Result<Client> {
    let frames = recording(name)?;
    let mut client = Client::new(&frames)?;
    for frame in frames.iter().filter(|frame| frame.dir == '<' && frame.is_data()) {
        client.pass(frame.at());
        client.heard(&frame.bytes(), frame.at());
    }
    Ok(client)
}

fn failure(mut client: Client) -> Result<ConsoleError> {
    if client.failed.is_none() {
        let step = client.opening.ended();
        client.step(step, Duration::ZERO);
    }
    client.failed.ok_or_else(|| anyhow!("it found a way in"))
}

fn texts(client: &Client) -> Result<Vec<(i64, String)>> {
    let each = client.done.iter().map(|done| {
        let printed = done.as_ref().map_err(Clone::clone)?;
        Ok((printed.exit, String::from_utf8(printed.text.clone())?))
    });
    each.collect()
}

const HELLO: &str = "d2b3a1511e71815bf73b3162c1bd46d2a854edcb9e55660236bd83011a9b7d32  -\n";

#[test]
fn a_script_is_run_in_each_shell() -> Result<()> {
    for (name, prompt) in [("exec-bash", "root@web1:/#"), ("exec-dash", "#"), ("exec-ash", "/ #")] {
        let client = follow(name, &[]).with_context(|| name.to_owned())?;
        let opened = client.opened.clone().context("not opened")?;
        assert_eq!(
            (opened.own, String::from_utf8(opened.prompt)?),
            (true, prompt.to_owned()),
            "{name}"
        );
        let texts = texts(&client)?;
        assert_eq!(texts.len(), 6, "{name}: {texts:?}");
        assert_eq!(texts[0], (0, HELLO.to_owned()), "{name}");
        assert_eq!(texts[2], (0, "7\n".to_owned()), "{name}");
        assert!(
            texts[3].1.contains("\naGVsbG8K") && texts[4].1.ends_with("\nd2Fybgo=\n"),
            "{name}: {texts:?}"
        );
        assert!(client.left && client.sent.is_empty(), "{name}");
    }
    Ok(())
}

#[test]
fn a_person_beside_us_is_noticed_and_left_alone() -> Result<()> {
    let client = follow("exec-beside-a-human", &[])?;
    assert_eq!(client.opened.as_ref().map(|opened| opened.own), Some(false));
    assert_eq!(
        client.done,
        [
            Ok(Printed {
                exit: 0,
                text: b"one\n".to_vec()
            }),
            Err(ConsoleError::HumanTyping)
        ]
    );
    assert!(client.left && client.sent.is_empty());
    Ok(())
}

#[test]
fn an_old_line_server_is_waited_for() -> Result<()> {
    let mut client = listen("after-a-crashed-exec")?;
    let sent: Vec<_> = client.sent.drain(1..).collect();
    assert_eq!(sent, [(Duration::from_millis(313), b"0:1:\r".to_vec())]);
    assert!(matches!(failure(client)?, ConsoleError::Ended { .. }));
    Ok(())
}

#[test]
fn what_is_no_shell_is_told_apart() -> Result<()> {
    assert_eq!(failure(listen("cmode-tty")?)?, ConsoleError::LoginRequired);
    for name in ["wrong-user", "token-9.1.8"] {
        let said = "nothing was shown".to_owned();
        assert_eq!(failure(listen(name)?)?, ConsoleError::NotAccepted { said }, "{name}");
    }
    for (name, words) in [
        ("stopped-ct-shell", "Failed to get init pid"),
        ("stopped-ct-tty", "101 is not running"),
        (
            "offline-node",
            "ssh: connect to host 10.98.77.3 port 22: No route to host",
        ),
        ("shell-end-hang", "exit"),
        ("ct-stopped-meanwhile", "nothing was shown"),
    ] {
        let error = failure(listen(name)?)?;
        assert!(
            matches!(&error, ConsoleError::Ended { said } if said.contains(words)),
            "{name}: {error:?}"
        );
    }
    Ok(())
}

#[test]
fn every_way_to_a_shell_gets_a_line_server() -> Result<()> {
    for name in ["remote-node", "login-8.4.17"] {
        let client = listen(name)?;
        let (_, bootstrap) = client.sent.back().context("nothing sent")?;
        assert!(bootstrap.ends_with(b"{ unset HISTFILE;exit;}\r"), "{name}");
        assert!(bootstrap[6..].iter().all(|b| *b >= 0x20 || *b == b'\r'), "{name}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn frames_may_be_cut_anywhere(cuts in prop::collection::vec(1usize..40, 0..200)) {
        for name in ["exec-bash", "exec-dash", "exec-ash", "exec-beside-a-human"] {
            let whole = follow(name, &[]).expect("the recording as it is");
            let parts = follow(name, &cuts).expect("the recording in parts");
            prop_assert_eq!(&whole.done, &parts.done);
            prop_assert_eq!(&whole.opened, &parts.opened);
            prop_assert_eq!(whole.left, parts.left);
        }
    }

    #[test]
    fn no_bytes_panic(
        chunks in prop::collection::vec((any::<Vec<u8>>(), 0u64..12_000), 0..20),
        greeted in any::<bool>(),
        served in any::<bool>(),
    ) {
        let frames = recording("exec-bash").expect("a recording");
        let mut client = Client::new(&frames).expect("a greeting");
        let mut now = Duration::ZERO;
        if greeted {
            client.heard(b"OK", now);
        }
        if served {
            client.heard(b"# ", now);
            client.heard(format!("\nR_{}_77_1_0\r\n", client.nonce).as_bytes(), now);
        }
        for (n, (bytes, pause)) in chunks.iter().enumerate() {
            now += Duration::from_millis(*pause);
            client.pass(now);
            client.heard(bytes, now);
            if n % 3 == 0 {
                client.run("true", Some(b"x".to_vec()), now);
            }
        }
        client.leave(now);
        client.pass(now + Duration::from_secs(60));
    }
}
