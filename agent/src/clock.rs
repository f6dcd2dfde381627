//! The server's time, from its signed welcome and this host's monotonic clock. The guest's own clock may be years off.

use std::time::Duration;

use tokio::time::Instant;

#[derive(Debug, Clone, Copy)]
pub(crate) struct ServerClock {
    welcome: i64,
    heard: Instant,
}

impl ServerClock {
    /// Starts from the time in a welcome, microseconds since 1970, that was asked for at `asked`. Counting from the
    /// question and not from the answer makes a command seem older, never younger, than it is.
    pub(crate) fn new(welcome: i64, asked: Instant) -> Self {
        Self { welcome, heard: asked }
    }

    /// The server's clock now, microseconds since 1970.
    pub(crate) fn now(&self) -> i64 {
        let passed: Duration = self.heard.elapsed();
        self.welcome
            .saturating_add(i64::try_from(passed.as_micros()).unwrap_or(i64::MAX))
    }
}
