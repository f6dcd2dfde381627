//! Where the simulator's time comes from.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::world::Millis;

/// The time that the simulated clusters see.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// That of this machine.
    #[default]
    System,
    /// One that stands still until it is advanced.
    Stepped(SteppedClock),
}

/// A clock that goes on only when told.
#[derive(Debug, Clone)]
pub struct SteppedClock(Arc<AtomicU64>);

impl SteppedClock {
    /// A clock that stands at a moment, in milliseconds since 1970.
    pub fn at(milliseconds: u64) -> SteppedClock {
        SteppedClock(Arc::new(AtomicU64::new(milliseconds)))
    }

    /// Where it stands, in milliseconds since 1970.
    pub fn now(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        let milliseconds = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.0.fetch_add(milliseconds, Ordering::SeqCst);
    }
}

impl Clock {
    /// Milliseconds since 1970.
    pub(crate) fn now(&self) -> Millis {
        match self {
            Clock::System => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                u64::try_from(since.as_millis()).unwrap_or_default()
            }
            Clock::Stepped(clock) => clock.now(),
        }
    }
}
