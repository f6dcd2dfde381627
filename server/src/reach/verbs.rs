//! What can be asked of a guest through a shell: verbs, each with its script and the reader of its answer.

use std::time::Duration;

use muster_packages::frame::FrameError;
use muster_packages::install::{self, Host};
use muster_packages::scan::{self, Patience};
use muster_packages::{ScanError, ScanReport};

use super::{Obstacle, Shell};

/// A thing to ask. The list is closed: what stands in this file.
pub trait Verb: Sync {
    /// What comes back.
    type Report: Send;
    /// POSIX sh.
    fn script(&self) -> String;
    /// Reads what the script printed.
    fn read(output: &[u8]) -> Self::Report;
}

/// What could be updated.
pub struct Scan;

impl Verb for Scan {
    type Report = Result<ScanReport, ScanError>;

    fn script(&self) -> String {
        scan::script(Patience::default())
    }

    fn read(output: &[u8]) -> Self::Report {
        scan::parse(output)
    }
}

/// Whether the agent can be installed.
pub struct Preflight {
    /// The script, with the address of Muster in it.
    pub script: String,
}

impl Verb for Preflight {
    type Report = Result<Host, FrameError>;

    fn script(&self) -> String {
        self.script.clone()
    }

    fn read(output: &[u8]) -> Self::Report {
        install::read_preflight(output)
    }
}

/// Asks through an open shell, and waits for at most `within`.
pub async fn perform<V: Verb>(shell: &mut dyn Shell, verb: &V, within: Duration) -> Result<V::Report, Obstacle> {
    let ran = shell.run(&verb.script(), within).await?;
    Ok(V::read(&ran.output))
}
