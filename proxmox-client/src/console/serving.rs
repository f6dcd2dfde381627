//! Commands for a line server, one after the other: the second half of a conversation with a console.
//!
//! Pure: bytes and time go in, bytes to send and results come out. Time is counted from when the connection was made.

use std::ops::Range;
use std::time::Duration;

use super::error::ConsoleError;
use super::lines;
use super::nonce::Nonce;
use super::opening::Opened;
use super::recognise::{ends_with_prompt, has_ended, last_line, last_words, marker};

/// The line server ends by itself after 25 s without a line.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// How long the shell's prompt has to stand at the end of a command's output before it is taken for what it is: a
/// command may print the same.
const CONVINCING: Duration = Duration::from_secs(1);

/// How long somebody else's shell is given to take its terminal back.
const FAREWELL_FOREIGN: Duration = Duration::from_millis(200);
const FAREWELL_OWN: Duration = Duration::from_secs(5);

/// The longest marker line; what precedes it has been searched already.
const MARKER: usize = 64;

/// How much of what comes while nothing is expected is kept.
const KEPT: usize = 4 * 1024;

/// A conversation with a line server.
#[derive(Debug)]
pub(super) struct Serving {
    nonce: Nonce,
    own: bool,
    prompt: Vec<u8>,
    commands: u32,
    state: State,
    /// What was heard since the last line of ours.
    output: Vec<u8>,
}

#[derive(Debug)]
enum State {
    Idle {
        since: Duration,
    },
    Running(Running),
    Leaving {
        until: Duration,
    },
    /// The line server answers, but somebody types between our lines.
    Disturbed,
    /// There is nobody to talk to any more.
    Over(ConsoleError),
}

#[derive(Debug)]
struct Running {
    end: String,
    searched: usize,
    /// How much of the output was there before: the line that was under way, with the end of the one before it.
    before: usize,
    payload: Option<Vec<u8>>,
    heard: Duration,
    deadline: Duration,
    within: Duration,
    limit: usize,
}

/// What to run, and within which bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Command {
    /// One line for a shell.
    pub(super) line: String,
    /// What to type once the command has printed `G_` and the nonce.
    pub(super) payload: Option<Vec<u8>>,
    /// How long it may take.
    pub(super) within: Duration,
    /// How many bytes it may print.
    pub(super) limit: usize,
}

/// What to do next.
#[derive(Debug, PartialEq)]
pub(super) enum Reaction {
    /// Nothing but wait.
    Wait,
    /// Send this message, then wait.
    Send(Vec<u8>),
    /// The command is over, in one way or the other.
    Done(Result<Printed, ConsoleError>),
    /// The connection may be closed.
    Left,
}

/// A command that has ended and what the terminal showed of it, without carriage returns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Printed {
    /// Its exit code.
    pub exit: i64,
    /// What it wrote to its standard output and standard error, in the order in which the terminal got it.
    pub text: Vec<u8>,
}

impl Serving {
    pub(super) fn new(nonce: Nonce, opened: Opened, now: Duration) -> Self {
        Self {
            nonce,
            own: opened.own,
            prompt: opened.prompt,
            commands: 0,
            state: State::Idle { since: now },
            // The opening has read whole lines.
            output: b"\n".to_vec(),
        }
    }

    /// Whether a command can be begun, or is refused at once.
    pub(super) fn is_free(&self) -> bool {
        !matches!(self.state, State::Running(_) | State::Leaving { .. })
    }

    /// When to [tick](Self::tick), unless something is heard before; never when the conversation rests.
    pub(super) fn wake(&self) -> Option<Duration> {
        match &self.state {
            State::Idle { since } => Some(*since + KEEP_ALIVE),
            State::Running(running) if self.shows_prompt() => Some(running.deadline.min(running.heard + CONVINCING)),
            State::Running(running) => Some(running.deadline),
            State::Leaving { until } => Some(*until),
            State::Disturbed | State::Over(_) => None,
        }
    }

    /// Begins a command.
    pub(super) fn run(&mut self, command: Command, now: Duration) -> Reaction {
        match &self.state {
            State::Idle { .. } => {}
            State::Over(error) => return Reaction::Done(Err(error.clone())),
            _ => return Reaction::Done(Err(ConsoleError::HumanTyping)),
        }
        self.commands += 1;
        // A refused line of somebody else may have come in part.
        let under_way = self.output.iter().rposition(|byte| *byte == b'\n').unwrap_or(0);
        self.output.drain(..under_way);
        self.state = State::Running(Running {
            end: lines::end_of(self.nonce, self.commands),
            searched: 0,
            before: self.output.len(),
            payload: command.payload,
            heard: now,
            deadline: now + command.within,
            within: command.within,
            limit: command.limit,
        });
        Reaction::Send(lines::command(self.nonce, &command.line, self.commands))
    }

    /// Begins to leave. Somebody else's shell gets its terminal back, our own ends a moment after us.
    pub(super) fn leave(&mut self, now: Duration) -> Reaction {
        if !matches!(self.state, State::Idle { .. } | State::Disturbed) {
            return Reaction::Left;
        }
        self.output.clear();
        let (message, farewell) = if self.own {
            (lines::leave_own(self.nonce), FAREWELL_OWN)
        } else {
            (lines::leave_foreign(self.nonce), FAREWELL_FOREIGN)
        };
        self.state = State::Leaving { until: now + farewell };
        Reaction::Send(message)
    }

    /// Takes what the server sent.
    pub(super) fn heard(&mut self, bytes: &[u8], now: Duration) -> Reaction {
        self.output.extend_from_slice(bytes);
        if let State::Running(running) = &mut self.state {
            running.heard = now;
            return self.progressed(now);
        }
        match self.state {
            State::Leaving { .. } if self.is_farewell() => return Reaction::Left,
            State::Idle { .. } => self.disturbed(),
            _ => {}
        }
        Reaction::Wait
    }

    /// Takes the end of the connection.
    pub(super) fn ended(&mut self) -> Reaction {
        match self.state {
            State::Leaving { .. } => Reaction::Left,
            State::Over(_) => Reaction::Wait,
            _ => self.give_up(ConsoleError::Ended {
                said: last_words(&self.output),
            }),
        }
    }

    /// Takes that time has passed.
    pub(super) fn tick(&mut self, now: Duration) -> Reaction {
        if self.wake().is_none_or(|wake| now < wake) {
            return Reaction::Wait;
        }
        match &mut self.state {
            State::Idle { since } => {
                *since = now;
                Reaction::Send(lines::keep_alive(self.nonce))
            }
            State::Running(running) if now >= running.deadline => {
                let after = running.within;
                self.give_up(ConsoleError::TimedOut { after })
            }
            State::Running(_) => self.give_up(ConsoleError::HumanTyping),
            State::Leaving { .. } => Reaction::Left,
            State::Disturbed | State::Over(_) => Reaction::Wait,
        }
    }

    /// Looks for the lines that can follow a command.
    fn progressed(&mut self, now: Duration) -> Reaction {
        let (refusal, ready) = (self.refusal(), format!("G_{}", self.nonce));
        let State::Running(running) = &mut self.state else {
            return Reaction::Wait;
        };
        let from = running.searched.saturating_sub(MARKER);
        let refused = marker(&self.output, from, &refusal).map(|refused| refused.begin);
        if let Some(end) = marker(&self.output, from, &format!("{}_", running.end))
            && let Ok(exit) = end.rest.parse()
            // What a person has typed behind the end of the command did it no harm.
            && refused.is_none_or(|refused| refused > end.begin)
        {
            let (begin, end, before) = (end.begin, end.end, running.before.min(end.begin));
            return self.finished(exit, before..begin, end, now);
        }
        if refused.is_some() {
            self.state = State::Disturbed;
            return Reaction::Done(Err(ConsoleError::HumanTyping));
        }
        running.searched = self.output.len();
        if running.payload.is_some()
            && let Some(ready) = marker(&self.output, from, &ready)
        {
            self.output.drain(..ready.end);
            (running.searched, running.before) = (0, 0);
            return running
                .payload
                .take()
                .map_or(Reaction::Wait, |payload| Reaction::Send(lines::input(&payload)));
        }
        if has_ended(&self.output) {
            return self.ended();
        }
        let limit = running.limit;
        if self.output.len() > limit {
            return self.give_up(ConsoleError::TooLarge { limit });
        }
        Reaction::Wait
    }

    /// Parts the output of a command from what was there before, from its end marker and from what has come since.
    fn finished(&mut self, exit: i64, text: Range<usize>, end: usize, now: Duration) -> Reaction {
        let text = without_returns(&self.output[text]);
        self.output.drain(..end);
        self.state = State::Idle { since: now };
        self.disturbed();
        Reaction::Done(Ok(Printed { exit, text }))
    }

    /// Looks for traces of somebody else in what comes while nothing is expected.
    fn disturbed(&mut self) {
        if marker(&self.output, 0, &self.refusal()).is_some() {
            self.state = State::Disturbed;
        } else if has_ended(&self.output) {
            self.ended();
        } else if ends_with_prompt(&self.output) {
            self.state = State::Over(ConsoleError::HumanTyping);
        }
        let surplus = self.output.len().saturating_sub(KEPT);
        self.output.drain(..surplus);
    }

    /// The line server's word for a line that is not ours.
    fn refusal(&self) -> String {
        format!("X_{}", self.nonce)
    }

    /// Whether the shell below the line server seems to be back: somebody has ended the line server.
    fn shows_prompt(&self) -> bool {
        ends_with_prompt(&self.output) && last_line(&self.output) == self.prompt
    }

    fn is_farewell(&self) -> bool {
        let bye = format!("BYE_{}", self.nonce);
        let said_bye = || self.output.windows(bye.len()).any(|window| window == bye.as_bytes());
        has_ended(&self.output) || if self.own { said_bye() } else { self.shows_prompt() }
    }

    fn give_up(&mut self, error: ConsoleError) -> Reaction {
        let was_running = matches!(self.state, State::Running(_));
        self.state = State::Over(error.clone());
        if was_running {
            Reaction::Done(Err(error))
        } else {
            Reaction::Wait
        }
    }
}

/// Two terminals in a row have added one or more to each line.
fn without_returns(output: &[u8]) -> Vec<u8> {
    output.iter().copied().filter(|b| *b != b'\r').collect()
}

#[cfg(test)]
mod tests;
