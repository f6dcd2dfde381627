//! Faults that are switched on by name, for a whole cluster or for one node.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Result, bail};

use crate::wire::{Answer, Break};

/// One way in which a node misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Every answer is late.
    Slow(Duration),
    /// Every answer is a success with a body that is not JSON.
    Garbage,
    /// Every answer is a success without a body.
    Empty,
    /// Every answer is this many bytes of valid but useless JSON.
    Big(usize),
    /// The connection ends after the headers of the answer.
    Reset,
    /// The connection ends after half of the answer's body.
    Half,
    /// Nobody listens.
    Refuse,
}

/// What can be switched on, for help and errors.
pub(crate) const NAMES: &str = "slow [MILLISECONDS], garbage, empty, big [BYTES], reset, half, refuse";

const SLOW_UNLESS_SAID: u64 = 2_000;
const BIG_UNLESS_SAID: usize = 5 << 20;

impl Fault {
    /// The fault of that name; `arg` is a number for those that take one.
    pub(crate) fn parse(name: &str, arg: Option<&str>) -> Result<Fault> {
        Ok(match name {
            "slow" => Fault::Slow(Duration::from_millis(arg.map_or(Ok(SLOW_UNLESS_SAID), str::parse)?)),
            "big" => Fault::Big(arg.map_or(Ok(BIG_UNLESS_SAID), str::parse)?),
            "garbage" => Fault::Garbage,
            "empty" => Fault::Empty,
            "reset" => Fault::Reset,
            "half" => Fault::Half,
            "refuse" => Fault::Refuse,
            other => bail!("there is no fault '{other}'; there are: {NAMES}"),
        })
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
            match fault {
                Fault::Slow(by) => tokio::time::sleep(*by).await,
                Fault::Garbage => instead = Some(Answer::raw("<html><body>It works!</body></html>")),
                Fault::Empty => instead = Some(Answer::raw("")),
                Fault::Big(bytes) => instead = Some(Answer::raw(big(*bytes))),
                Fault::Reset | Fault::Half | Fault::Refuse => {}
            }
        }
        instead
    }

    /// Whether and where the answer breaks off.
    pub(crate) fn breaks(&self) -> Option<Break> {
        self.0.iter().find_map(|fault| match fault {
            Fault::Reset => Some(Break::AfterHeaders),
            Fault::Half => Some(Break::HalfWay),
            _ => None,
        })
    }

    /// Whether nobody listens.
    pub(crate) fn refuses(&self) -> bool {
        self.0.contains(&Fault::Refuse)
    }
}

fn big(bytes: usize) -> String {
    let row = r#"{"id":"lxc/0","type":"filler"},"#;
    let rows = row.repeat(bytes / row.len());
    format!(r#"{{"data":[{rows}{{}}]}}"#)
}
