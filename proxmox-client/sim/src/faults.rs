//! Faults that are switched on by name, for a whole cluster or for one node.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::wire::{Answer, Break};
use crate::world::Millis;

/// One way in which a node misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum, Serialize, Deserialize)]
pub enum FaultKind {
    /// Every answer is late by so many milliseconds.
    Slow,
    /// Every answer is a success with the page of some other program.
    Garbage,
    /// Every answer is a success whose JSON ends in the middle.
    Truncated,
    /// Every answer is a success with values of the wrong types.
    Types,
    /// Every answer is a success without a body.
    Empty,
    /// Every answer is so many bytes of valid but useless JSON.
    Big,
    /// Every answer begins like JSON and never ends.
    Endless,
    /// The connection ends after the headers of the answer.
    Reset,
    /// The connection ends after half of the answer's body.
    Half,
    /// Nobody listens.
    Refuse,
    /// Every answer is 595: the node that is asked reaches no other.
    Unreachable,
    /// Every answer is 596: the node that is asked waited 30 s for another one.
    Timeout,
    /// Every answer is a 500 with the words of a program that failed.
    Fails,
    /// The clock is so many seconds ahead, or behind when the number is negative.
    Skew,
}

impl FaultKind {
    /// Every fault there is.
    pub fn all() -> &'static [FaultKind] {
        FaultKind::value_variants()
    }

    /// The word for it on the command line.
    pub fn name(self) -> String {
        let word = self.to_possible_value();
        word.map(|word| word.get_name().to_owned()).unwrap_or_default()
    }

    const fn number_unless_said(self) -> i64 {
        match self {
            FaultKind::Slow => 2_000,
            FaultKind::Big => 5 << 20,
            FaultKind::Skew => 3_600,
            _ => 0,
        }
    }
}

/// A fault with its number, for those that take one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fault {
    kind: FaultKind,
    number: i64,
}

impl Fault {
    /// The fault with its usual number, or with this one.
    pub(crate) fn new(kind: FaultKind, number: Option<i64>) -> Fault {
        Fault {
            kind,
            number: number.unwrap_or(kind.number_unless_said()),
        }
    }

    fn size(self) -> usize {
        usize::try_from(self.number).unwrap_or_default()
    }
}

/// The faults of one cluster.
#[derive(Default)]
pub(crate) struct Faults(Mutex<Vec<Set>>);

struct Set {
    /// `None` for all nodes.
    node: Option<String>,
    fault: Fault,
}

/// What is wrong with one answer.
pub(crate) struct Wrong(Vec<Fault>);

impl Faults {
    /// Switches a fault on, in addition to others.
    pub(crate) fn set(&self, node: Option<&str>, fault: Fault) {
        self.lock().push(Set {
            node: node.map(str::to_owned),
            fault,
        });
    }

    /// Switches all faults of a node, or of the whole cluster, off.
    pub(crate) fn clear(&self, node: Option<&str>) {
        self.lock().retain(|set| node.is_some() && set.node.as_deref() != node);
    }

    /// What is wrong with the node's next answer.
    pub(crate) fn of(&self, node: &str) -> Wrong {
        let sets = self.lock();
        let here = sets
            .iter()
            .filter(|set| set.node.as_deref().is_none_or(|of| of == node));
        Wrong(here.map(|set| set.fault).collect())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Set>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wrong {
    /// Waits, and gives the answer that comes instead of the right one.
    pub(crate) async fn before(&self) -> Option<Answer> {
        let mut instead = None;
        for fault in &self.0 {
            if fault.kind == FaultKind::Slow {
                tokio::time::sleep(Duration::from_millis(fault.size() as u64)).await;
            }
            instead = answer(*fault).or(instead);
        }
        instead
    }

    /// Whether and where the answer breaks off.
    pub(crate) fn breaks(&self) -> Option<Break> {
        self.0.iter().find_map(|fault| match fault.kind {
            FaultKind::Reset => Some(Break::AfterHeaders),
            FaultKind::Half => Some(Break::HalfWay),
            FaultKind::Endless => Some(Break::Never),
            _ => None,
        })
    }

    /// Whether nobody listens.
    pub(crate) fn refuses(&self) -> bool {
        self.has(FaultKind::Refuse)
    }

    /// What the node takes for the time.
    pub(crate) fn clock(&self, now: Millis) -> Millis {
        let ahead: i64 = self
            .0
            .iter()
            .filter(|fault| fault.kind == FaultKind::Skew)
            .map(|fault| fault.number)
            .sum();
        now.saturating_add_signed(ahead.saturating_mul(1000))
    }

    fn has(&self, kind: FaultKind) -> bool {
        self.0.iter().any(|fault| fault.kind == kind)
    }
}

/// The answer that a fault puts in place of the right one.
fn answer(fault: Fault) -> Option<Answer> {
    Some(match fault.kind {
        FaultKind::Garbage => Answer::raw("<html><body>It works!</body></html>"),
        FaultKind::Truncated => Answer::raw(r#"{"data":[{"id":"lxc/100","type":"lxc","vmid":100,"sta"#),
        FaultKind::Types => {
            Answer::raw(r#"{"data":[{"id":"lxc/100","type":"lxc","vmid":{"is":"no number"},"node":["pve1"]}]}"#)
        }
        FaultKind::Empty => Answer::raw(""),
        FaultKind::Big => Answer::raw(big(fault.size())),
        FaultKind::Endless => Answer::raw(r#"{"data":["#),
        FaultKind::Unreachable => Answer::bare(595, "No route to host"),
        FaultKind::Timeout => Answer::bare(596, "Connection timed out"),
        FaultKind::Fails => Answer::failed("failed to read from command socket: Connection reset by peer"),
        FaultKind::Slow | FaultKind::Reset | FaultKind::Half | FaultKind::Refuse | FaultKind::Skew => return None,
    })
}

fn big(bytes: usize) -> String {
    let row = r#"{"id":"lxc/0","type":"filler"},"#;
    let rows = row.repeat(bytes / row.len());
    format!(r#"{{"data":[{rows}{{}}]}}"#)
}
