//! From the greeting to a line server: the first half of a conversation with a console.
//!
//! Pure: bytes and time go in, bytes to send and results come out. Time is counted from when the connection was made.

use std::time::Duration;

use super::error::ConsoleError;
use super::lines;
use super::nonce::Nonce;
use super::recognise::{ends_with_login, ends_with_prompt, has_ended, last_line, last_words, marker};

/// PVE needs up to 3 s to refuse, and may be busy.
const GREETING: Duration = Duration::from_secs(15);

/// An old line server of ours ends after 25 s of silence, seen within 28 s; then there is a new shell.
const PROMPT: Duration = Duration::from_secs(30);

/// A shell that somebody has left shows its prompt only when asked. A new one shows it by itself, and loses what is
/// typed before.
const SILENCE: Duration = Duration::from_millis(300);

const ANSWER: Duration = Duration::from_secs(5);

/// How much of what is shown before the prompt is kept; a console may be showing a log.
const KEPT: usize = 16 * 1024;

/// A conversation that has not reached its line server yet.
#[derive(Debug)]
pub(super) struct Opening {
    nonce: Nonce,
    state: State,
    output: Vec<u8>,
}

#[derive(Debug)]
enum State {
    /// The two bytes `OK` are awaited.
    Greeting,
    /// A prompt is awaited.
    Prompt {
        connected: Duration,
        heard: Duration,
        asked: bool,
    },
    /// The line server's first line is awaited.
    Answer { until: Duration, prompt: Vec<u8> },
}

/// What to do next.
#[derive(Debug, PartialEq)]
pub(super) enum Step {
    /// Nothing but wait.
    Wait,
    /// Send this message, then wait.
    Send(Vec<u8>),
    /// The line server answers.
    Opened(Opened),
    /// There is no way in.
    Failed(ConsoleError),
}

/// A line server that answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Opened {
    /// Whether the session around it is ours alone.
    pub(super) own: bool,
    /// The prompt of the shell below it, which is back when the line server is gone.
    pub(super) prompt: Vec<u8>,
}

impl Opening {
    /// Begins with the message that has to be sent first: PVE's name for us and the ticket of the terminal.
    pub(super) fn new(nonce: Nonce, user: &str, ticket: &str) -> (Self, Vec<u8>) {
        let opening = Self {
            nonce,
            state: State::Greeting,
            output: Vec::new(),
        };
        (opening, format!("{user}:{ticket}\n").into_bytes())
    }

    /// When to [tick](Self::tick), unless something is heard before.
    pub(super) fn wake(&self) -> Duration {
        match &self.state {
            State::Greeting => GREETING,
            State::Prompt {
                heard, asked: false, ..
            } => *heard + SILENCE,
            State::Prompt { connected, .. } => *connected + PROMPT,
            State::Answer { until, .. } => *until,
        }
    }

    /// Takes what the server sent.
    pub(super) fn heard(&mut self, bytes: &[u8], now: Duration) -> Step {
        self.output.extend_from_slice(bytes);
        match &mut self.state {
            State::Greeting => self.greeted(now),
            State::Prompt { heard, .. } => {
                *heard = now;
                self.prompted(now)
            }
            State::Answer { .. } => self.answered(),
        }
    }

    /// Takes the end of the connection.
    pub(super) fn ended(&self) -> Step {
        let said = last_words(&self.output);
        Step::Failed(match self.state {
            State::Greeting => ConsoleError::NotAccepted { said },
            _ => ConsoleError::Ended { said },
        })
    }

    /// Takes that time has passed.
    pub(super) fn tick(&mut self, now: Duration) -> Step {
        if now < self.wake() {
            return Step::Wait;
        }
        let said = last_words(&self.output);
        match &mut self.state {
            State::Greeting => Step::Failed(ConsoleError::TimedOut { after: GREETING }),
            State::Prompt {
                asked: asked @ false, ..
            } => {
                *asked = true;
                Step::Send(lines::typed("\r"))
            }
            State::Prompt { .. } => Step::Failed(ConsoleError::Busy { by: None }),
            State::Answer { .. } => Step::Failed(ConsoleError::UnknownShell { said }),
        }
    }

    fn greeted(&mut self, now: Duration) -> Step {
        if self.output.len() < 2 && b"OK".starts_with(&self.output) {
            return Step::Wait;
        }
        if !self.output.starts_with(b"OK") {
            let said = last_words(&self.output);
            return Step::Failed(ConsoleError::NotAccepted { said });
        }
        // Terminal output may come in the same frame.
        self.output.drain(..2);
        self.state = State::Prompt {
            connected: now,
            heard: now,
            asked: false,
        };
        self.prompted(now)
    }

    fn prompted(&mut self, now: Duration) -> Step {
        if let Some(step) = self.no_way_in() {
            return step;
        }
        let State::Prompt { connected, .. } = self.state else {
            return Step::Wait;
        };
        if !ends_with_prompt(&self.output) {
            let surplus = self.output.len().saturating_sub(KEPT);
            self.output.drain(..surplus);
            return Step::Wait;
        }
        self.state = State::Answer {
            until: now + ANSWER,
            prompt: last_line(&self.output),
        };
        self.output.clear();
        Step::Send(lines::bootstrap(self.nonce, now.saturating_sub(connected)))
    }

    fn answered(&mut self) -> Step {
        if let Some(step) = self.no_way_in() {
            return step;
        }
        let State::Answer { prompt, .. } = &self.state else {
            return Step::Wait;
        };
        let word = format!("R_{}_", self.nonce);
        let Some(line) = marker(&self.output, 0, &word) else {
            return Step::Wait;
        };
        let fields: Vec<&str> = line.rest.split('_').collect();
        match *fields.as_slice() {
            [own, _age, "0"] => Step::Opened(Opened {
                own: own == "77",
                prompt: prompt.clone(),
            }),
            [_, _, uid] if let Ok(uid) = uid.parse() => Step::Failed(ConsoleError::NotRoot { uid }),
            _ => Step::Failed(ConsoleError::UnknownShell {
                said: last_words(&self.output),
            }),
        }
    }

    fn no_way_in(&self) -> Option<Step> {
        if has_ended(&self.output) {
            return Some(self.ended());
        }
        ends_with_login(&self.output).then_some(Step::Failed(ConsoleError::LoginRequired))
    }
}
