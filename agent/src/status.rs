//! How the agent is, for people and the installer: a small file that `run` writes and `status` reads.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::connect::Server;
use crate::state::{StateDir, StateError};

const FILE: &str = "status.json";
/// Held by a running agent.
pub(crate) const RUNNING: &str = "run.lock";

/// What `muster-agent status` shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Where the link stands.
    pub phase: Phase,
    /// Since when, seconds since 1970 by this host's clock.
    pub since: u64,
    /// The server's address.
    pub server: String,
    /// Why the last link ended or could not be opened.
    pub problem: Option<String>,
}

/// Where the link stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The first try is under way.
    Connecting,
    /// Connected, both ends proven.
    Online,
    /// Not connected; the agent tries again by itself.
    Offline,
    /// The server does not let this agent in.
    Refused,
    /// The agent does not run.
    Stopped,
}

impl Status {
    /// The status now. A file that a killed agent left behind is not believed: a running one holds a lock. `None` before
    /// the agent ran for the first time.
    pub fn read(state: &StateDir) -> Result<Option<Self>, StateError> {
        let Some(mut status) = state.read::<Self>(FILE)? else {
            return Ok(None);
        };
        if state.try_lock(RUNNING)?.is_some() {
            status.phase = Phase::Stopped;
        }
        Ok(Some(status))
    }

    /// Writes it. Failing to is no reason to stop working.
    pub(crate) fn write(state: &StateDir, server: &Server, phase: Phase, problem: Option<String>) {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |passed| passed.as_secs());
        let status = Self {
            phase,
            since,
            server: server.to_string(),
            problem,
        };
        if let Err(error) = state.write(FILE, &status) {
            tracing::warn!("{error}");
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let problem = self.problem.as_deref().unwrap_or("no reason is known");
        match self.phase {
            Phase::Connecting => write!(f, "connecting to {}", self.server),
            Phase::Online => write!(f, "online at {}", self.server),
            Phase::Offline => write!(f, "offline, trying again: {problem}"),
            Phase::Refused => write!(f, "refused: {problem}"),
            Phase::Stopped => write!(f, "not running; it belongs to {}", self.server),
        }
    }
}
